// Numbers over time as bars on each other, as SVG in the colours of the page. Each kind has a pattern too, and its sum in words.
const HEIGHT = 150;
const LEFT = 44;
const BOTTOM = 20;
const TOP = 8;
const compact = new Intl.NumberFormat("en", { notation: "compact" });
const exact = new Intl.NumberFormat("en");
const second = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const moment = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
let made = 0;

export default {
  template: `
    <figure class="chart time-bars">
      <svg ref="canvas" :viewBox="'0 0 ' + width + ' ${HEIGHT}'" role="img" :aria-label="spoken">
        <defs>
          <pattern :id="id + '-1'" :class="tone(1)" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="6" height="6" class="bar-soft" /><rect width="3" height="6" fill="currentcolor" /></pattern>
          <pattern :id="id + '-2'" :class="tone(2)" width="5" height="5" patternUnits="userSpaceOnUse">
            <rect width="5" height="5" fill="currentcolor" /><circle cx="2.5" cy="2.5" r="1.2" class="bar-dot" /></pattern>
        </defs>
        <g v-for="tick in ticks" :key="tick.value">
          <line class="chart-grid" x1="${LEFT}" :x2="width" :y1="tick.y" :y2="tick.y" />
          <text class="chart-text" x="${LEFT - 8}" :y="tick.y + 4" text-anchor="end">{{ tick.text }}</text>
        </g>
        <g v-if="slots.length">
          <text class="chart-text" x="${LEFT}" y="${HEIGHT - 4}">{{ when(from) }}</text>
          <text class="chart-text" :x="width" y="${HEIGHT - 4}" text-anchor="end">{{ when(to) }}</text>
        </g>
        <g v-for="(kind, i) in kinds" :key="kind.name" :class="'bar-' + kind.tone">
          <rect v-for="slot in drawn[i]" :key="slot.at" :x="slot.x" :y="slot.y" :width="bar" :height="slot.height" :fill="fill(i)"><title>{{ slot.title }}</title></rect>
        </g>
      </svg>
      <figcaption><span v-for="(kind, i) in kinds" :key="kind.name">
        <svg class="bar-mark" :class="'bar-' + kind.tone" viewBox="0 0 12 12" aria-hidden="true"><rect width="12" height="12" :fill="fill(i)" /></svg>
        {{ kind.name }} <strong>{{ number(sums[i]) }}</strong></span></figcaption>
    </figure>
  `,
  // slots: when each begins, in milliseconds since 1970, and a number of each kind; wide: milliseconds of a slot.
  props: { label: String, kinds: Array, slots: Array, wide: Number },
  data: () => ({ width: 600, id: `time-bars-${(made += 1)}` }),
  mounted() {
    this.watcher = new ResizeObserver(([canvas]) => (this.width = Math.max(200, canvas.contentRect.width)));
    this.watcher.observe(this.$refs.canvas);
  },
  beforeUnmount() {
    this.watcher.disconnect();
  },
  computed: {
    from() {
      return this.slots[0][0];
    },
    to() {
      return this.slots[this.slots.length - 1][0] + this.wide;
    },
    places() {
      return this.slots.length ? Math.round((this.to - this.from) / this.wide) : 1;
    },
    pitch() {
      return (this.width - LEFT) / this.places;
    },
    bar() {
      // A run of one second is not one bar from side to side.
      return Math.max(1.5, Math.min(40, this.pitch - 1));
    },
    most() {
      const top = Math.max(1, ...this.slots.map((slot) => slot[1].reduce((a, b) => a + b, 0)));
      const step = 10 ** Math.floor(Math.log10(top));
      return Math.ceil(top / step) * step;
    },
    ticks() {
      return [0, 1].map((part) => ({ value: part, y: this.y(part * this.most), text: compact.format(part * this.most) }));
    },
    sums() {
      return this.kinds.map((_, i) => this.slots.reduce((sum, slot) => sum + slot[1][i], 0));
    },
    drawn() {
      return this.kinds.map((kind, i) =>
        this.slots
          .filter((slot) => slot[1][i])
          .map((slot) => {
            const below = slot[1].slice(0, i).reduce((a, b) => a + b, 0);
            const y = this.y(below + slot[1][i]);
            return {
              at: slot[0],
              x: LEFT + ((slot[0] - this.from) / this.wide) * this.pitch,
              y: Math.min(y, this.y(below) - 2),
              height: Math.max(2, this.y(below) - y),
              title: `${second.format(slot[0])}: ${exact.format(slot[1][i])} ${kind.name.toLowerCase()}`,
            };
          }),
      );
    },
    spoken() {
      return `${this.label}: ${this.kinds.map((kind, i) => `${kind.name} ${exact.format(this.sums[i])}`).join(", ")}`;
    },
  },
  methods: {
    y(value) {
      return HEIGHT - BOTTOM - (value / this.most) * (HEIGHT - BOTTOM - TOP);
    },
    // A pattern takes its colour from where it is defined, not from where it is used.
    tone(i) {
      return this.kinds[i] ? `bar-${this.kinds[i].tone}` : "";
    },
    fill(i) {
      return i ? `url(#${this.id}-${i})` : "currentcolor";
    },
    when(at) {
      return (this.to - this.from < 20 * 3600e3 ? second : moment).format(at);
    },
    number: (value) => exact.format(value),
  },
};
