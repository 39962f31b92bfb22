// A table whose cells are set as text. Rows come from the server; search, filters, sorting and paging happen here, unless
// the server has more rows than it sent (`remote`): then it is asked.
import { toRaw } from "vue";

const HEIGHT = 33; // pixels of a row, as in segue.css
const SPARE = 12; // rows that are drawn above and below those in sight
const NEAR = 400; // pixels before the end at which the server is asked for more
const PAUSE = 250; // milliseconds without a key before the server is asked

export default {
  template: `
    <div class="table-frame">
      <div v-if="searchable || filters.length" class="table-tools">
        <label v-if="searchable" class="search">
          <span class="icon" aria-hidden="true" translate="no">search</span>
          <input type="search" :aria-label="'Search: ' + label" placeholder="Search" v-model="wanted" />
        </label>
        <label v-for="f in filters" v-show="f.values.length > 1 || chosen[f.key]" :key="f.key" class="filter">
          <span>{{ f.label }}</span>
          <select v-model="chosen[f.key]">
            <option value="">All</option>
            <option v-for="value in f.values" :key="value" :value="value">{{ value }}</option>
          </select>
        </label>
        <span class="table-count muted" role="status">{{ count }}</span>
      </div>
      <div v-if="!found.length && !asking && !narrowed" class="empty">
        <span class="icon" aria-hidden="true" translate="no">inbox</span>
        <strong>{{ nothing.title }}</strong><p>{{ nothing.text }}</p>
      </div>
      <div v-else class="table-scroll" :class="{ whole: !page, tall: remote }" role="region" :aria-label="label" tabindex="0"
           ref="scroller" @scroll.passive="scrolled">
        <table class="table">
          <thead><tr>
            <th v-for="c in columns" :key="c.key" :class="['kind-' + c.kind, { wide: c.wide }]" scope="col"
                :aria-sort="sort.key === c.key ? (sort.down ? 'descending' : 'ascending') : undefined">
              <span v-if="remote">{{ c.label }}</span>
              <button v-else type="button" class="sorter" @click="sortBy(c.key)">
                {{ c.label }}<span class="icon" aria-hidden="true" translate="no">{{ arrow(c.key) }}</span>
              </button>
            </th>
            <th v-if="actions.length" class="row-menu"><span class="hidden">Actions</span></th>
          </tr></thead>
          <tbody>
            <tr v-if="above" aria-hidden="true"><td :colspan="columns.length + 1" :style="{ height: above + 'px', padding: 0 }"></td></tr>
            <tr v-for="row in drawn" :key="row.id">
              <td v-for="c in columns" :key="c.key" :class="['kind-' + c.kind, { wide: c.wide }]">
                <span v-if="empty(row.cells[c.key])" class="muted">{{ c.kind === 'code' ? 'NULL' : '–' }}</span>
                <span v-else-if="c.kind === 'status'" class="status" :class="'tone-' + look(row.cells[c.key]).tone">
                  <span class="icon" aria-hidden="true" translate="no">{{ look(row.cells[c.key]).icon }}</span>
                  <span :title="capital(row.cells[c.key])">{{ capital(row.cells[c.key]) }}</span>
                </span>
                <a v-else-if="c.kind === 'time' && Array.isArray(row.cells[c.key])" :href="row.cells[c.key][1]"><time
                  :datetime="row.cells[c.key][0]" :title="full(row.cells[c.key][0])">{{ relative(row.cells[c.key][0]) }}</time></a>
                <time v-else-if="c.kind === 'time'" :datetime="row.cells[c.key]" :title="full(row.cells[c.key])">{{ relative(row.cells[c.key]) }}</time>
                <a v-else-if="c.kind === 'link'" :href="row.cells[c.key][1]">{{ row.cells[c.key][0] }}</a>
                <template v-else>{{ text(row.cells[c.key]) }}</template>
              </td>
              <td v-if="actions.length" class="row-menu">
                <button v-if="menu(row).length" type="button" class="icon-button small" aria-haspopup="menu"
                        :aria-label="'Actions: ' + name(row)">
                  <span class="icon" aria-hidden="true" translate="no">more_vert</span>
                  <q-menu auto-close anchor="bottom right" self="top right">
                    <q-list dense role="menu" class="menu-list">
                      <q-item v-for="a in menu(row)" :key="a.key" clickable role="menuitem" :class="{ danger: a.danger }"
                              @click="$emit('action', { row: row.id, action: a.key })">
                        <span class="icon" aria-hidden="true" translate="no">{{ a.icon }}</span><span>{{ a.label }}</span>
                      </q-item>
                    </q-list>
                  </q-menu>
                </button>
              </td>
            </tr>
            <tr v-if="below" aria-hidden="true"><td :colspan="columns.length + 1" :style="{ height: below + 'px', padding: 0 }"></td></tr>
          </tbody>
        </table>
        <p v-if="!found.length" class="table-none">{{ asking ? "Loading" : "Nothing matches." }}</p>
      </div>
      <div v-if="pages > 1" class="pager">
        <button type="button" class="icon-button small" aria-label="Page before" :disabled="at === 0" @click="at--">
          <span class="icon" aria-hidden="true" translate="no">chevron_left</span></button>
        <span>Page {{ at + 1 }} of {{ pages }}</span>
        <button type="button" class="icon-button small" aria-label="Next page" :disabled="at + 1 >= pages" @click="at++">
          <span class="icon" aria-hidden="true" translate="no">chevron_right</span></button>
      </div>
      <div v-if="remote && further" class="pager">
        <button type="button" class="button" :disabled="asking" @click="ask(true)">{{ asking ? 'Loading' : 'Show more' }}</button>
      </div>
    </div>
  `,
  props: {
    label: String,
    columns: Array,
    rows: Array,
    actions: Array,
    looks: Object,
    nothing: Object,
    searchable: Boolean,
    page: Number,
    remote: Boolean,
    more: Boolean,
    coming: Number, // how many rows there will be, while only the first are here
    start: Object,
  },
  emits: ["action", "ask"],
  data() {
    return {
      wanted: "",
      chosen: Object.fromEntries(this.columns.filter((c) => c.filter).map((c) => [c.key, this.start?.[c.key] ?? ""])),
      added: [], // rows that the server handed over after the first ones
      further: this.more,
      sort: { key: null, down: false },
      at: 0,
      top: 0,
      now: Date.now(),
      asking: false,
    };
  },
  computed: {
    all() {
      return toRaw(this.rows); // rows are replaced as a whole, and watching each cell of thousands takes long
    },
    narrowed() {
      return Boolean(this.wanted) || Object.values(this.chosen).some(Boolean);
    },
    filters() {
      return this.columns
        .filter((c) => c.filter)
        .map((c) => {
          if (Array.isArray(c.filter)) return { key: c.key, label: c.label, values: c.filter };
          const values = this.all.map((row) => this.text(this.plain(row, c)));
          return { key: c.key, label: c.label, values: [...new Set(values)].filter(Boolean).sort() };
        });
    },
    found() {
      if (this.remote) {
        const shown = new Set(this.all.map((row) => row.id));
        return [...this.all, ...this.added.filter((row) => !shown.has(row.id))];
      }
      const wanted = this.wanted.trim().toLowerCase();
      const rows = this.all.filter(
        (row) =>
          this.columns.every((c) => !this.chosen[c.key] || this.text(this.plain(row, c)) === this.chosen[c.key]) &&
          (!wanted || this.columns.some((c) => this.text(this.plain(row, c)).toLowerCase().includes(wanted))),
      );
      const column = this.columns.find((c) => c.key === this.sort.key);
      if (!column) return rows;
      const direction = this.sort.down ? -1 : 1;
      return rows.sort((a, b) => direction * this.compare(this.plain(a, column), this.plain(b, column)));
    },
    pages() {
      const rows = this.narrowed ? this.found.length : Math.max(this.found.length, this.coming || 0);
      return this.page && !this.remote ? Math.ceil(rows / this.page) : 1;
    },
    first() {
      return this.page ? 0 : Math.max(0, Math.floor(this.top / HEIGHT) - SPARE);
    },
    last() {
      if (this.page) return this.found.length;
      const sight = this.$refs.scroller ? this.$refs.scroller.clientHeight : 600;
      return Math.min(this.found.length, Math.ceil((this.top + sight) / HEIGHT) + SPARE);
    },
    above() {
      return this.first * HEIGHT;
    },
    below() {
      return (this.found.length - this.last) * HEIGHT;
    },
    drawn() {
      if (this.remote && this.page) return this.found;
      if (this.page) return this.found.slice(this.at * this.page, (this.at + 1) * this.page);
      return this.found.slice(this.first, this.last);
    },
    count() {
      if (this.remote) return this.found.length.toLocaleString() + (this.further ? ", and more" : "");
      const all = (this.coming || this.all.length).toLocaleString();
      return this.narrowed ? `${this.found.length.toLocaleString()} of ${all}` : all;
    },
  },
  watch: {
    rows() {
      // The first rows again, as they are now, or those of another search.
      if (this.fresh || !this.added.length) {
        this.added = [];
        this.further = this.more;
      }
      this.fresh = false;
      this.asking = false;
      if (this.at >= this.pages) this.at = 0;
    },
    wanted() {
      this.narrow();
    },
    chosen: {
      deep: true,
      handler() {
        this.narrow();
      },
    },
  },
  mounted() {
    this.clock = setInterval(() => (this.now = Date.now()), 20000);
  },
  beforeUnmount() {
    clearInterval(this.clock);
    clearTimeout(this.pause);
  },
  methods: {
    narrow() {
      this.at = 0;
      this.top = 0;
      if (!this.remote) return;
      clearTimeout(this.pause);
      this.pause = setTimeout(() => this.ask(false), PAUSE);
    },
    ask(more) {
      this.asking = true;
      this.fresh = !more;
      this.$emit("ask", { search: this.wanted.trim(), filters: { ...this.chosen }, more });
    },
    add(rows, more) {
      this.added = [...this.added, ...rows];
      this.further = more;
      this.asking = false;
    },
    sortBy(key) {
      this.sort = { key, down: this.sort.key === key && !this.sort.down };
    },
    arrow(key) {
      return this.sort.key !== key ? "unfold_more" : this.sort.down ? "arrow_downward" : "arrow_upward";
    },
    plain(row, column) {
      const value = row.cells[column.key];
      return (column.kind === "link" || column.kind === "time") && Array.isArray(value) ? value[0] : value;
    },
    compare(a, b) {
      if (this.empty(a) || this.empty(b)) return this.empty(a) - this.empty(b);
      return typeof a === "number" && typeof b === "number" ? a - b : this.text(a).localeCompare(this.text(b));
    },
    name(row) {
      return this.text(this.plain(row, this.columns[0]));
    },
    menu(row) {
      return row.actions ? this.actions.filter((a) => row.actions.includes(a.key)) : this.actions;
    },
    empty: (value) => value === null || value === undefined || value === "",
    look(word) {
      return this.looks[word] || { icon: "help", tone: "idle" };
    },
    capital: (word) => word.charAt(0).toUpperCase() + word.slice(1),
    text(value) {
      if (value === null || value === undefined) return "";
      if (typeof value === "number") return value.toLocaleString();
      return typeof value === "object" ? JSON.stringify(value) : String(value);
    },
    relative(at) {
      return segue.relative(at, this.now);
    },
    full: (at) => segue.full(at),
    scrolled(event) {
      const box = event.target;
      this.top = box.scrollTop;
      if (this.further && !this.asking && box.scrollHeight - box.scrollTop - box.clientHeight < NEAR) this.ask(true);
    },
  },
};
