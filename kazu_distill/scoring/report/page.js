"use strict";
// The list of mistakes. Text from documents goes into the page as text nodes only, never as markup.
(() => {
  const PAGE = 100;
  const data = JSON.parse(document.getElementById("data").textContent);
  const of = (id) => document.getElementById(id);
  const [byClass, byKind, search, pair, clear, count, list, more] =
    ["class", "kind", "search", "pair", "clear", "count", "list", "more"].map(of);
  const number = (value) => value.toLocaleString("en");

  const mistakes = data.mistakes.map(
    ([document, section, kind, gold, goldScore, predicted, score, before, pieces, after]) => ({
      document: data.documents[document],
      section: data.sections[section],
      kind, gold, goldScore, predicted, score, before, pieces, after,
      searched: (pieces.map(([text]) => text).join("") + "\n" + data.documents[document]).toLowerCase(),
    }),
  );
  let chosen = null; // a cell of the confusion matrix: gold and predicted class
  let found = [];

  function element(name, className, ...children) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...children); // strings become text nodes
    return made;
  }

  function options(select, names, counts) {
    names.forEach((name, position) => {
      const option = element("option", "", `${name} (${number(counts[position])})`);
      option.value = position;
      select.append(option);
    });
  }

  function className(position) {
    return position < 0 ? "nothing" : data.labels[position];
  }

  function side(name, flag, mistake) {
    const gold = flag === 1;
    const label = gold ? mistake.gold : mistake.predicted;
    if (label < 0) return element("p", "side", `${name}: nothing`);
    const mention = mistake.pieces.filter(([, own]) => own & flag).map(([text]) => text).join("");
    const line = element("p", "side", `${name}: `, element("b", "", element("bdi", "", mention)), " · ");
    line.append(element("bdi", "", data.labels[label]));
    const score = gold ? mistake.goldScore : mistake.score;
    if (!gold || score < 1) line.append(` · score ${score.toFixed(2)}`);
    return line;
  }

  function row(mistake) {
    const text = element("p", "text", mistake.before);
    text.dir = "auto";
    for (const [piece, own] of mistake.pieces) {
      text.append(element("mark", ["", "gold", "predicted", "gold predicted"][own], piece));
    }
    text.append(mistake.after);
    const where = element("p", "where", element("bdi", "", mistake.document));
    if (mistake.section) where.append(" · ", element("bdi", "", mistake.section));
    return element("li", "",
      element("div", "", element("p", "kind", data.kinds[mistake.kind]), where),
      element("div", "", text, side("gold", 1, mistake), side("predicted", 2, mistake)),
    );
  }

  function showMore() {
    const begin = list.children.length;
    const next = document.createDocumentFragment();
    for (const mistake of found.slice(begin, begin + PAGE)) next.append(row(mistake));
    list.append(next);
    const left = found.length - list.children.length;
    more.hidden = left === 0;
    more.textContent = `Show ${number(Math.min(PAGE, left))} more`;
    const shown = number(list.children.length);
    count.textContent = `${number(found.length)} of ${number(mistakes.length)} mistakes, ${shown} shown`;
  }

  function filter() {
    const label = byClass.value === "" ? null : Number(byClass.value);
    const kind = byKind.value === "" ? null : Number(byKind.value);
    const words = search.value.trim().toLowerCase();
    found = mistakes.filter((each) =>
      (label === null || each.gold === label || each.predicted === label) &&
      (kind === null || each.kind === kind) &&
      (!chosen || (each.gold === chosen.gold && each.predicted === chosen.predicted)) &&
      (!words || each.searched.includes(words)));
    pair.hidden = !chosen;
    if (chosen) {
      pair.textContent = `gold ${className(chosen.gold)}, predicted ${className(chosen.predicted)} ×`;
      pair.setAttribute("aria-label", `Remove the filter ${pair.textContent.slice(0, -2)}`);
    }
    list.replaceChildren();
    showMore();
  }

  function reset() {
    byClass.value = byKind.value = search.value = "";
    chosen = null;
  }

  options(byClass, data.labels, data.labels.map((_, position) =>
    mistakes.filter((each) => each.gold === position || each.predicted === position).length));
  options(byKind, data.kinds, data.kinds.map((_, position) => mistakes.filter((each) => each.kind === position).length));
  byClass.addEventListener("change", filter);
  byKind.addEventListener("change", filter);
  search.addEventListener("input", filter);
  more.addEventListener("click", showMore);
  clear.addEventListener("click", () => { reset(); filter(); });
  pair.addEventListener("click", () => { chosen = null; filter(); search.focus(); });
  document.querySelector(".confusion").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    reset();
    chosen = { gold: Number(button.dataset.gold), predicted: Number(button.dataset.predicted) };
    filter();
    of("mistakes").focus({ preventScroll: true });
    of("mistakes").scrollIntoView();
  });
  // A closed section would be missing on paper.
  window.addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
  filter();
})();
