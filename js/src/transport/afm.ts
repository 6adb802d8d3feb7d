/** The part of the anywidget module contract (AFM) that every host has: six methods and an element. */

/** The traits that the kernel alone writes. A test holds names and types against wcam_widget/show/traits.py. */
export interface KernelState {
  _target: unknown;
  _picture: DataView;
  _frame: DataView;
  _layers: DataView;
  _status: unknown;
  _scores: unknown;
  _known: unknown;
  _retention: DataView;
  _sides: unknown;
  _thumbnails: DataView;
  _difference: DataView;
  _proto: number;
}

/** The traits that both sides write. */
export interface SharedState {
  shown: number[];
  selection: number[];
  mode: string;
  level: readonly string[];
  layer: string;
  theme: string;
  colormap: string;
  opacity: number;
  scale: string;
}

/** All traits. */
export interface WidgetState extends KernelState, SharedState {}

export type TraitName = keyof WidgetState;
export type SharedName = keyof SharedState;
// Hosts disagree about the arguments (Backbone: model, value, options; marimo: value), so handlers take none
// and read the model again.
export type ChangeHandler = () => void;
export type MessageHandler = (content: unknown, buffers?: readonly DataView[]) => void;

export interface Model {
  get<K extends TraitName>(name: K): WidgetState[K];
  set<K extends SharedName>(name: K, value: SharedState[K]): void;
  save_changes(): void;
  on(event: `change:${TraitName}`, handler: ChangeHandler): void;
  on(event: "msg:custom", handler: MessageHandler): void;
  /** Always with the handler: without it, some hosts remove everybody's. */
  off(event: `change:${TraitName}`, handler: ChangeHandler): void;
  off(event: "msg:custom", handler: MessageHandler): void;
  send(content: unknown): void;
}

export type Cleanup = () => void;

export interface Widget {
  initialize?(props: { model: Model }): Cleanup | undefined;
  render?(props: { model: Model; el: HTMLElement; signal?: AbortSignal }): Cleanup | undefined;
}

/**
 * What widget.ts exports: called once per model, so that a model's state lives in a closure. marimo shares one
 * module among all widgets, and Jupyter gives initialize and render different proxies of one model.
 */
export type WidgetFactory = () => Widget;
