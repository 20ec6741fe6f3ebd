import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** A Map, Set or array that lives as long as its owner and may grow. */
export interface Collection {
  /** Relative to the root. */
  readonly file: string;
  readonly name: string;
}

const grows = /\bnew (Map|Set)\b|\b(?<!Readonly)(Map|Set)</;
const readOnly = /^readonly [^<>]*\[\]$|^Readonly(Map|Set|Array)</;

/** Every one in the sources: fields of classes, and variables of modules. */
export function findCollections(root: string, folders: readonly string[]): readonly Collection[] {
  const files = folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(
        (path) => `${folder}/${path}`,
      ),
    )
    .filter((path) => path.endsWith('.ts'))
    .sort();
  return files.flatMap((file) => {
    const source = ts.createSourceFile(
      file,
      readFileSync(join(root, file), 'utf8'),
      ts.ScriptTarget.ES2022,
      true,
    );
    return [...fieldsIn(source), ...variablesOf(source)].map((name) => ({ file, name }));
  });
}

function* fieldsIn(node: ts.Node): Generator<string> {
  for (const child of childrenOf(node)) {
    if (ts.isClassDeclaration(child)) {
      for (const member of child.members)
        if (ts.isPropertyDeclaration(member) && mayGrow(member)) yield nameOf(member);
    }
    yield* fieldsIn(child);
  }
}

/** Those that begin empty: a constant that is filled at once does not grow. */
function* variablesOf(source: ts.SourceFile): Generator<string> {
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const one of statement.declarationList.declarations) {
      const { initializer } = one;
      const isEmpty =
        initializer !== undefined &&
        ts.isNewExpression(initializer) &&
        (initializer.arguments ?? []).length === 0;
      if (isEmpty && mayGrow(one)) yield nameOf(one);
    }
  }
}

function mayGrow({ type, initializer }: ts.PropertyDeclaration | ts.VariableDeclaration): boolean {
  if (type !== undefined && readOnly.test(type.getText())) return false;
  const text = `${type?.getText() ?? ''} ${initializer?.getText() ?? ''}`;
  return grows.test(text) || (initializer !== undefined && ts.isArrayLiteralExpression(initializer));
}

function nameOf(node: ts.PropertyDeclaration | ts.VariableDeclaration): string {
  return node.name.getText();
}

function childrenOf(node: ts.Node): readonly ts.Node[] {
  const found: ts.Node[] = [];
  ts.forEachChild(node, (child) => void found.push(child));
  return found;
}
