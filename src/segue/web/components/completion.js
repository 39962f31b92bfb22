// What the SQL editor has beyond NiceGUI's: completion from the database's own names, comments by button, the theme of the page.
import * as CM from "nicegui-codemirror";

const KINDS = { table: "class", column: "property", function: "function" };

export default {
  template: `<span hidden></span>`,
  props: { editor: Number, words: Array, label: String },
  computed: {
    options() {
      return this.words.map(([label, kind, detail]) => ({
        label,
        type: KINDS[kind],
        detail,
        apply: kind === "function" ? `${label}(` : /^[a-z_][a-z0-9_]*$/i.test(label) ? label : `"${label.replaceAll('"', '""')}"`,
        boost: kind === "column" ? 2 : kind === "table" ? 1 : 0,
      }));
    },
  },
  async mounted() {
    await this.$nextTick();
    const element = getElement(this.editor);
    await element.editorPromise;
    this.view = element.editor;
    const source = (context) => {
      const word = context.matchBefore(/[\w$]+/);
      return word || context.explicit ? { from: word ? word.from : context.pos, options: this.options, validFor: /^[\w$]*$/ } : null;
    };
    this.view.dispatch({
      effects: CM.StateEffect.appendConfig.of([
        CM.EditorState.languageData.of(() => [{ autocomplete: source, commentTokens: { line: "--" } }]),
        CM.EditorView.contentAttributes.of({ "aria-label": this.label, tabindex: "0" }),
      ]),
    });
    const theme = () => element.setTheme(document.documentElement.dataset.theme === "dark" ? "vscodeDark" : "vscodeLight");
    theme();
    this.watcher = new MutationObserver(theme);
    this.watcher.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  },
  beforeUnmount() {
    this.watcher?.disconnect();
  },
  methods: {
    comment() {
      CM.toggleComment(this.view);
      this.view.focus();
    },
    insert(text) {
      this.view.dispatch(this.view.state.replaceSelection(text));
      this.view.focus();
    },
    selected() {
      const { from, to } = this.view.state.selection.main;
      return this.view.state.sliceDoc(from, to);
    },
    content() {
      return this.view.state.doc.toString();
    },
  },
};
