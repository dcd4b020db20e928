"use strict";
// Tables that sort and save themselves, and the choice of light or dark.

function sortTable(head) {
  const table = head.closest("table");
  const place = [...head.parentNode.children].indexOf(head);
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = (row) => row.children[place].dataset.v;
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === "" || y === "") return (x === "") - (y === "");
    const order = isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y;
    return down ? -order : order;
  });
  table.tBodies[0].append(...rows);
}

function save(name, address) {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}

function csvOf(table) {
  // What a spreadsheet would take for a formula gets an apostrophe; numbers do not.
  const number = /^[-+]?\d[\d.]*(e[-+]?\d+)?( (±|to) ?[-+]?\d[\d.]*(e[-+]?\d+)?)?$/;
  const safe = (text) =>
    (text.length > 1 && /^[=+\-@\t\r]/.test(text) && !number.test(text) ? `'${text}` : text);
  const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [...table.rows]
    .map((row) => [...row.cells].map((cell) => quoted(safe(cell.textContent.trim()))).join(","))
    .join("\n") + "\n";
}

function chooseTheme() {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = root.dataset.theme || (dark ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
  try { localStorage.setItem("midigroove-theme", root.dataset.theme); } catch { /* file: page */ }
  document.dispatchEvent(new Event("themechange"));
}

try {
  const kept = localStorage.getItem("midigroove-theme");
  if (kept) document.documentElement.dataset.theme = kept;
} catch { /* file: page without storage */ }

document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("theme").addEventListener("click", chooseTheme);
  document.querySelectorAll("thead th").forEach((head) =>
    head.querySelector("button").addEventListener("click", () => sortTable(head)));
  document.querySelectorAll("button[data-csv]").forEach((button) =>
    button.addEventListener("click", () => {
      const table = document.getElementById(button.dataset.csv);
      const address = URL.createObjectURL(new Blob([csvOf(table)], { type: "text/csv" }));
      save(`${button.dataset.csv}.csv`, address);
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    }));
  document.querySelectorAll("button[data-png]").forEach((button) =>
    button.addEventListener("click", () =>
      save(`${button.dataset.png}.png`, button.closest("figure").querySelector("img").src)));
});
