// Answers one line of JSON for each line of JSON: what @phala/dcap-qvl says of a quote.
//
// In:  {"quote": base64, "collateral": {...}, "now": seconds, "root": base64 of DER, or null}
// Out: {"status": text, "advisories": [text]} or {"error": text}
'use strict';

const readline = require('node:readline');
const { QuoteVerifier } = require('@phala/dcap-qvl');

function judge({ quote, collateral, now, root }) {
  const verifier = root
    ? QuoteVerifier.newWithRootCa(Buffer.from(root, 'base64'))
    : QuoteVerifier.newProd();
  try {
    const report = verifier.verify(Buffer.from(quote, 'base64'), collateral, now);
    return { status: String(report.status), advisories: [...report.advisory_ids].sort() };
  } catch (error) {
    return { error: String(error.message).split('\n')[0].slice(0, 200) };
  }
}

const lines = readline.createInterface({ input: process.stdin, terminal: false });
lines.on('line', (line) => {
  process.stdout.write(JSON.stringify(judge(JSON.parse(line))) + '\n');
});
