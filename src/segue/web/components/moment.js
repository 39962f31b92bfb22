// A moment in words such as "3 minutes ago". The words are made here: only the browser knows zone and language.
export default {
  template: `<time :datetime="at" :title="full">{{ words }}</time>`,
  props: { at: String },
  data: () => ({ now: Date.now() }),
  computed: {
    words() {
      return segue.relative(this.at, this.now);
    },
    full() {
      return segue.full(this.at);
    },
  },
  mounted() {
    this.clock = setInterval(() => (this.now = Date.now()), 20000);
  },
  beforeUnmount() {
    clearInterval(this.clock);
  },
};
