// Makes a component of a plugin in JavaScript, with nothing that a plugin may not have:
//
//   node build.mjs <folder of componentize-js> <source> <folder of the WIT> <component>

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, sourcePath, witPath, out] = process.argv.slice(2);
const library = resolve(folder, 'node_modules/@bytecodealliance/componentize-js/src/componentize.js');
const { componentize } = await import(pathToFileURL(library));
const { component } = await componentize({
  sourcePath,
  witPath,
  worldName: 'plugin',
  disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
});
await writeFile(out, component);
