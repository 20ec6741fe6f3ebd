import { writeFile } from 'node:fs/promises';
import { generatedDocs } from './generated.js';

for (const { path, text } of await generatedDocs()) await writeFile(path, text);
