// Sorts the table of images by the column whose heading is pressed; without a script the table is in the dataset's order.
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const rising = heading.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const numbers = heading.classList.contains("n");
      const key = (row) => {
        const text = row.cells[heading.cellIndex].textContent.trim();
        return numbers ? parseFloat(text.replace("∞", "Infinity").replaceAll(",", "")) : text;
      };
      const order = (a, b) => {
        if (!numbers) return a.localeCompare(b, undefined, { numeric: true });
        return Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : a < b ? -1 : a > b ? 1 : 0;
      };
      const rows = Array.from(body.rows, (row) => [key(row), row]);
      rows.sort((a, b) => {
        if (numbers && (Number.isNaN(a[0]) || Number.isNaN(b[0]))) return order(a[0], b[0]);
        return rising ? order(a[0], b[0]) : order(b[0], a[0]);
      });
      body.append(...rows.map(([, row]) => row));
    });
  }
}
