// The table of all trials: a page of rows at a time, filtered and sorted; empty cells last either way.
(() => {
  const source = document.getElementById('rows');
  if (!source) return;
  const SHOWN = 50;
  const { columns, rows } = JSON.parse(source.textContent);
  const at = id => document.getElementById(id);
  const [head, body] = [at('table').tHead, at('table').tBodies[0]];
  const status = columns.indexOf('status');
  const texts = rows.map(row => row.join('\u0000').toLowerCase());
  const numeric = columns.map((_, i) => rows.every(row => row[i] === null || typeof row[i] === 'number'));
  let order = { column: 0, up: true };
  let shown = rows.map((_, i) => i);
  let first = 0;

  const empty = cell => cell === null || cell === '';
  const text = cell => typeof cell === 'number' ? cell.toLocaleString('en', { maximumSignificantDigits: 15, useGrouping: false }) : String(cell);

  // A mean with its spread is sorted by the mean.
  const value = cell => columns[order.column] === 'confirmed' && !empty(cell) ? parseFloat(cell) : cell;

  function compare(a, b) {
    const [x, y] = [a, b].map(i => value(rows[i][order.column]));
    if (empty(x) || empty(y)) return empty(x) - empty(y) || a - b;
    const both = typeof x === 'number' && typeof y === 'number';
    const found = both ? x - y : String(x).localeCompare(String(y), 'en', { numeric: true });
    return (order.up ? found : -found) || a - b;
  }

  function arrange() {
    const words = at('filter').value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = at('status').value;
    shown = rows.map((_, i) => i)
      .filter(i => (!wanted || rows[i][status] === wanted) && words.every(word => texts[i].includes(word)))
      .sort(compare);
    first = 0;
    show();
  }

  function show() {
    body.replaceChildren(...shown.slice(first, first + SHOWN).map(line));
    [...head.rows[0].cells].forEach((cell, i) => {
      if (i === order.column) cell.setAttribute('aria-sort', order.up ? 'ascending' : 'descending');
      else cell.removeAttribute('aria-sort');
    });
    const last = Math.min(first + SHOWN, shown.length);
    const few = shown.length < rows.length ? ` of ${rows.length.toLocaleString('en')}` : '';
    at('count').textContent = `${shown.length.toLocaleString('en')}${few} trial${rows.length === 1 ? '' : 's'}`;
    at('page').textContent = `${(first + 1).toLocaleString('en')} to ${last.toLocaleString('en')}`;
    at('pages').hidden = shown.length <= SHOWN;
    at('back').disabled = first === 0;
    at('on').disabled = last === shown.length;
  }

  function line(i) {
    const row = document.createElement('tr');
    row.className = rows[i][status];
    rows[i].forEach((cell, column) => {
      const place = row.insertCell();
      if (empty(cell)) return;
      place.textContent = text(cell);
      if (numeric[column]) place.className = 'number';
      else place.dir = 'auto';
      if (place.textContent.length > 40) place.className = 'long';
    });
    return row;
  }

  function csv() {
    const cell = value => {
      const plain = empty(value) ? '' : String(value);
      return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
    };
    return [columns, ...shown.map(i => rows[i])].map(row => row.map(cell).join(',')).join('\n') + '\n';
  }

  const top = head.insertRow();
  columns.forEach((name, column) => {
    const cell = document.createElement('th');
    const button = document.createElement('button');
    cell.scope = 'col';
    if (numeric[column]) cell.className = 'number';
    button.type = 'button';
    button.dir = 'auto';
    button.textContent = name;
    button.addEventListener('click', () => {
      order = { column, up: order.column === column ? !order.up : true };
      arrange();
    });
    cell.append(button);
    top.append(cell);
  });
  [...new Set(rows.map(row => row[status]))].forEach(name => at('status').add(new Option(name)));
  at('filter').addEventListener('input', arrange);
  at('status').addEventListener('change', arrange);
  at('filters').addEventListener('submit', event => event.preventDefault());
  at('back').addEventListener('click', () => { first -= SHOWN; show(); });
  at('on').addEventListener('click', () => { first += SHOWN; show(); });
  at('download').addEventListener('click', () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([csv()], { type: 'text/csv' }));
    link.download = 'trials.csv';
    link.click();
    URL.revokeObjectURL(link.href);
  });
  at('filters').hidden = false;
  show();
})();
