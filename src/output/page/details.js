// What is told of the run: tables of texts.

const showDetails = (video) => {
  byId("tables").replaceChildren(...video.details.map(detailTable));
};

const detailTable = ({ title, columns, rows }) => {
  const cell = (tag, text) => element(tag, "", isolated(shown(text)));
  const table = element("table", columns.length > 0 ? "wide" : "");
  if (columns.length > 0) {
    const heads = columns.map((column) => cell("th", column));
    heads.forEach((head) => (head.scope = "col"));
    table.append(element("thead", "", element("tr", "", ...heads)));
  }
  const lines = rows.map((row) => {
    const cells = row.map((text, at) => cell(columns.length === 0 && at === 0 ? "th" : "td", text));
    if (columns.length === 0) cells[0].scope = "row";
    return element("tr", "", ...cells);
  });
  table.append(element("tbody", "", ...lines));
  return element("section", "", element("h3", "", title), element("div", "sideways", table));
};
