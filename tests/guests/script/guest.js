// A plugin in JavaScript. It has one honest query, and one whose deeds its host must contain. What crosses is the JSON of
// `callslip-ir`; its schema is plugin-sdk/ir/description.schema.json.

const encoder = new TextEncoder();

/** The format byte of JSON, the version, and the body. */
function encoded(version, value) {
  const body = encoder.encode(JSON.stringify(value));
  const bytes = new Uint8Array(2 + body.length);
  bytes.set([0x6a, version]);
  bytes.set(body, 2);
  return bytes;
}

const parameter = (name, scalar, mode) => ({
  name,
  doc: '',
  ty: { domain: { Scalar: scalar }, array: false, nullable: false },
  mode,
  presence: 'Required',
  range: null,
});

const query = (name, doc, parameters) => ({
  name,
  doc,
  parameters,
  claims: [],
  reply: { Single: 'Many' },
  examples: [],
  plan: 'Auto',
});

/** `SELECT p.id, p.title FROM position AS p WHERE p.company_id = $1 ORDER BY p.id` */
function positions() {
  const nodes = [];
  const add = (kind) => nodes.push({ kind, place: null }) - 1;
  const column = (name) => add({ Column: { relation: 'p', name } });
  const name = (schema, name) => ({ schema, name });
  const table = add({
    Table: { name: { Stored: name(null, 'position') }, alias: 'p', columns: [], only: false, sample: null },
  });
  const items = ['id', 'title'].map((its) => ({ expression: column(its), alias: its }));
  const operands = [column('company_id'), add({ Parameter: 0 })];
  const filter = add({ Operation: { operator: name('pg_catalog', '='), operands } });
  const body = add({
    Select: {
      distinct: 'All', items, from: [table], filter, group_by: [], group_distinct: false, having: null, windows: [],
    },
  });
  const order_by = [{ expression: column('id'), direction: 'Ascending', nulls: 'Unspecified' }];
  add({ Query: { with: null, body, order_by, limit: null, offset: null } });
  const slots = [{ Declared: { name: name(null, 'int4'), modifiers: [], array: false } }];
  return { name: '', shape: encoded(1, { slots, files: [], nodes }), bindings: encoded(1, [{ Parameter: 'company' }]) };
}

const deeds = {
  loop() {
    for (;;);
  },
  recursion() {
    const deep = () => 1 + deep();
    return deep();
  },
  memory() {
    const all = [];
    for (;;) all.push(new Uint8Array(1 << 20).fill(1));
  },
  text() {
    let text = 'x';
    for (;;) text += text + '\u202e';
  },
  throw() {
    throw new Error('thrown\nat the host');
  },
  expression() {
    return /^(a+)+$/.test('a'.repeat(60) + 'b');
  },
  eval() {
    return new Function('for (;;);')();
  },
};

// Whoever keeps an instance keeps this.
let calls = 0;

export const queries = {
  manifest() {
    return encoded(2, {
      sdk: 'a script',
      queries: [
        query('positions', 'The positions of a company.', [parameter('company', 'Int4', 'Bound')]),
        query('bide', 'Does a deed.', [parameter('deed', 'Text', 'Open')]),
      ],
    });
  },
  plan(query, parameters) {
    calls += 1;
    if (query === 'positions') return [positions()];
    const deed = JSON.parse(parameters[0].value);
    if (deed in deeds) deeds[deed]();
    throw { code: 'not-found', message: `${calls} calls; ${typeof process}, ${deed}` };
  },
};
