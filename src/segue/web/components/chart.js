// Curves over time, as SVG in the colours of the page. The last value of each stands beside its name.
const HEIGHT = 180;
const LEFT = 52;
const BOTTOM = 22;
const compact = new Intl.NumberFormat("en", { notation: "compact" });
const exact = new Intl.NumberFormat("en");
const moment = segue.dates({ dateStyle: "medium", timeStyle: "short" });
const day = segue.dates({ month: "short", day: "numeric" });
const time = segue.dates({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export default {
  template: `
    <figure class="chart">
      <svg ref="canvas" :viewBox="'0 0 ' + width + ' ${HEIGHT}'" role="img" :aria-label="spoken">
        <g v-for="tick in ticks" :key="tick.value">
          <line class="chart-grid" x1="${LEFT}" :x2="width" :y1="tick.y" :y2="tick.y" />
          <text class="chart-text" x="${LEFT - 8}" :y="tick.y + 4" text-anchor="end">{{ tick.text }}</text>
        </g>
        <text class="chart-text" x="${LEFT}" y="${HEIGHT - 4}">{{ when(from) }}</text>
        <text class="chart-text" :x="width" y="${HEIGHT - 4}" text-anchor="end">{{ when(to) }}</text>
        <g v-for="(curve, i) in curves" :key="curve.name" :class="'curve-' + (i % 6)">
          <polyline :points="line(curve)" />
          <circle v-for="(p, j) in curve.points" :key="j" :cx="x(p[0])" :cy="y(p[1])" r="3"><title>{{ curve.name }}: {{ number(p[1]) }}, {{ full(p[0]) }}</title></circle>
        </g>
      </svg>
      <figcaption><span v-for="(curve, i) in curves" :key="curve.name" :class="'curve-' + (i % 6)">
        <i class="curve-mark" aria-hidden="true"></i>{{ curve.name }} <strong>{{ number(last(curve)) }}</strong></span></figcaption>
    </figure>
  `,
  props: { label: String, curves: Array },
  data: () => ({ width: 600 }),
  mounted() {
    // One unit is one pixel, so that letters are as large as elsewhere.
    this.watcher = new ResizeObserver(([canvas]) => (this.width = Math.max(200, canvas.contentRect.width)));
    this.watcher.observe(this.$refs.canvas);
  },
  beforeUnmount() {
    this.watcher.disconnect();
  },
  computed: {
    times() {
      return this.curves.flatMap((curve) => curve.points.map((p) => p[0]));
    },
    from() {
      return Math.min(...this.times);
    },
    to() {
      return Math.max(...this.times);
    },
    most() {
      const top = Math.max(1, ...this.curves.flatMap((curve) => curve.points.map((p) => p[1])));
      const step = 10 ** Math.floor(Math.log10(top));
      return Math.ceil(top / step) * step;
    },
    ticks() {
      return [0, 0.5, 1].map((part) => ({ value: part, y: this.y(part * this.most), text: compact.format(part * this.most) }));
    },
    spoken() {
      return `${this.label}: ${this.curves.map((c) => `${c.name} ${exact.format(this.last(c))}`).join(", ")}`;
    },
  },
  methods: {
    x(at) {
      return this.to === this.from ? (LEFT + this.width) / 2 : LEFT + 4 + ((at - this.from) / (this.to - this.from)) * (this.width - LEFT - 8);
    },
    y(value) {
      return HEIGHT - BOTTOM - (value / this.most) * (HEIGHT - BOTTOM - 10);
    },
    line(curve) {
      return curve.points.map((p) => `${this.x(p[0])},${this.y(p[1])}`).join(" ");
    },
    when(at) {
      return (this.to - this.from < 36 * 3600e3 ? time : day)(at);
    },
    last: (curve) => curve.points[curve.points.length - 1][1],
    number: (value) => exact.format(value),
    full: (at) => moment(at),
  },
};
