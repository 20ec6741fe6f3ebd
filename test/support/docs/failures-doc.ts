import { failureCatalogue } from '../../../sip/failure.js';

const introduction = `# Failures

Generated from the catalogue (\`sip/failure-catalogue.ts\`) by \`npm run docs\`; a test fails when it is stale.

Every request that is refused and every call that ends otherwise than by hanging up has one of these codes: in the log
(\`code\`), in the metrics (label \`code\`) and in the CDR (\`termination.code\`). The status is what a SIP peer is answered;
\`upstream.refused\` passes on the other side's own status and reason. "Party" is who the cause lies with.
`;

/** The text of docs/failures.md. */
export function failuresDoc(): string {
  const groups = new Map<string, string[]>();
  for (const [code, { status, reason, party, remedy }] of Object.entries(failureCatalogue)) {
    const group = code.slice(0, code.indexOf('.'));
    const rows = groups.get(group) ?? [];
    rows.push(`| \`${code}\` | ${status} ${reason} | ${party} | ${remedy} |`);
    groups.set(group, rows);
  }
  const head = ['| code | answer | party | what it means, what to do |', '| --- | --- | --- | --- |'];
  const sections = [...groups].map(([group, rows]) => [`## ${group}`, '', ...head, ...rows, ''].join('\n'));
  return [introduction, ...sections].join('\n');
}
