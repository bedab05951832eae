// Draws the plots, and keeps them in the colours of the page: light, dark, or for paper.
(() => {
  const root = document.documentElement;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const button = document.getElementById('scheme');
  const plots = [...document.querySelectorAll('[data-plot]')];
  const drawn = [];
  const PAPER = 900; // pixels; browsers shrink a page to the width of its sheet
  let printing = false;

  const scheme = () => root.dataset.scheme || (dark.matches ? 'dark' : 'light');

  // What differs between light, dark and paper.
  function look() {
    const body = getComputedStyle(document.body);
    const [text, back] = printing ? ['#000', '#fff'] : [body.color, body.backgroundColor];
    return {
      ...(printing ? { autosize: false, width: PAPER } : { autosize: true, width: null }),
      'font.color': text,
      'hoverlabel.bgcolor': back,
      'hoverlabel.font.color': text,
      'modebar.color': text,
      'modebar.activecolor': text,
      'modebar.bgcolor': 'rgba(0,0,0,0)',
    };
  }

  function draw(place) {
    const { data, layout } = JSON.parse(document.getElementById(place.dataset.plot).textContent);
    const settings = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ['lasso2d', 'select2d'] };
    drawn.push(place);
    place.classList.add('drawn');
    return Plotly.newPlot(place, data, { ...layout, autosize: true }, settings)
      .then(() => Plotly.relayout(place, look()))
      .then(() => {
        if (!place.querySelector('.no-webgl')) return;
        drawn.splice(drawn.indexOf(place), 1);
        Plotly.purge(place);
        place.textContent = 'This picture needs WebGL, which this browser does not offer.';
      });
  }

  function recolour() {
    button.textContent = scheme() === 'dark' ? 'Light' : 'Dark';
    button.setAttribute('aria-label', `Switch to ${button.textContent.toLowerCase()} colours`);
    drawn.forEach(place => Plotly.relayout(place, look()));
  }

  button.addEventListener('click', () => {
    root.dataset.scheme = scheme() === 'dark' ? 'light' : 'dark';
    recolour();
  });
  dark.addEventListener('change', recolour);
  button.hidden = false;
  recolour();

  // One after another, so that the page answers meanwhile.
  async function all() {
    for (const place of plots) {
      if (!drawn.includes(place)) {
        try {
          await draw(place);
        } catch (error) { // one picture is not worth the others
          console.error(error);
          drawn.splice(drawn.indexOf(place), 1);
          place.textContent = 'This picture could not be drawn.';
        }
      }
      await new Promise(resolve => setTimeout(resolve));
    }
    root.dataset.ready = 'yes';
  }
  all();

  addEventListener('beforeprint', () => {
    printing = true;
    document.querySelectorAll('details').forEach(one => { one.open = true; });
    plots.filter(place => !drawn.includes(place)).forEach(draw);
    recolour();
  });
  addEventListener('afterprint', () => {
    printing = false;
    recolour();
  });
})();
