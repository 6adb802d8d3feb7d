/** Everything the views of one model share. It is made once per model, reads traits, and never throws. */
import { type AttributionFrame, readAttribution, requireFit } from "../frame/attribution";
import { decodeFrame, type Frame } from "../frame/frame";
import { type LayersFrame, readLayers } from "../frame/layers";
import { type Picture, readPicture } from "../frame/picture";
import { type RetentionFrame, readRetention } from "../frame/retention";
import type { ColormapName } from "../picture/colormap";
import { readScaleSetting, type ScaleSetting, scaleSetting } from "../picture/scale";
import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from "../reactive/signal";
import type { Model } from "../transport/afm";
import {
  Connection,
  type ConnectionState,
  type FrameVersion,
  isReachable,
  PROTOCOL,
} from "../transport/connection";
import { asObject } from "../transport/untrusted";
import { KernelRequests } from "./kernel_requests";
import { LayerChoice } from "./layer_choice";
import { LevelChoice } from "./level_choice";
import { type Question, ScoreRequests, type Scores } from "./score_requests";
import { knownScore, readScore } from "./score_result";
import { canonical, keptCells, type Mode, questionKey, Selection } from "./selection";
import { readStatus, type Status } from "./status";
import { readTarget, type Target } from "./target";
import { TopLine } from "./top_line";
import { Traits } from "./traits";

export type ThemeSetting = "auto" | "light" | "dark";

const DEFAULT_OPACITY = 0.6;

export class Session {
  readonly selection = new Selection();
  readonly mode: Signal<Mode>;
  readonly theme: Signal<ThemeSetting>;
  readonly colormap: Signal<ColormapName>;
  readonly opacity: Signal<number>;
  /** how values become colours, and whether each level of the dyadic view has a scale of its own */
  readonly scale: Signal<ScaleSetting>;
  /** which map lies over the image */
  readonly layers: LayerChoice;
  /** the reader's choices that Python does not know: they last as long as the model, not longer */
  readonly levels: LevelChoice;
  /** the selection as the most important cells, and the curve of their scores */
  readonly topLine: TopLine;
  readonly withContours: Signal<boolean> = signal(true);
  /** whether the dyadic view has the transform's own layout, or all bands at one size */
  readonly packed: Signal<boolean> = signal(false);
  readonly status: ReadonlySignal<Status>;
  /** what is explained; maps and answers of another target are as if they were not there */
  readonly target: ReadonlySignal<Target>;
  /** which cells the reconstruction keeps, one byte each */
  readonly kept: ReadonlySignal<Uint8Array>;
  readonly scores: ReadonlySignal<Scores>;
  readonly connection: ReadonlySignal<ConnectionState>;
  readonly scored: boolean; // by a saved page that has the network
  readonly kernel: KernelRequests;
  /** what is wrong with what Python sent, in words for the reader; null when all is well */
  readonly error: ReadonlySignal<string | null>;

  readonly #picture: Signal<Picture | null> = signal(null);
  readonly #attribution: Signal<AttributionFrame | null> = signal(null);
  readonly #pictureError: Signal<string | null> = signal(null);
  readonly #frameError: Signal<string | null> = signal(null);
  readonly #layers: Signal<LayersFrame | null> = signal(null);
  readonly #layersError: Signal<string | null> = signal(null);
  readonly #retention: Signal<RetentionFrame | null> = signal(null);
  readonly #retentionError: Signal<string | null> = signal(null);
  readonly #model: Model;
  readonly #traits: Traits;
  readonly #connection: Connection;
  readonly #scoreRequests: ScoreRequests;
  readonly #endSelection: () => void;
  /** the last frame, also when its picture is still to come */
  #latest: AttributionFrame | null = null;

  constructor(model: Model) {
    this.#model = model;
    this.scored = (model as { get(name: string): unknown }).get("_scored") === true;
    this.#traits = new Traits(model);
    this.#connection = new Connection(model, () => this.#version());
    this.connection = this.#connection.state;
    this.kernel = new KernelRequests(this.#connection.rpc);
    this.mode = this.#traits.shared("mode", (value) => (value === "remove" ? "remove" : "keep"));
    this.theme = this.#traits.shared("theme", (value) =>
      value === "light" || value === "dark" ? value : "auto",
    );
    this.colormap = this.#traits.shared("colormap", (value) => (value === "viridis" ? "viridis" : "cividis"));
    this.opacity = this.#traits.shared("opacity", readOpacity);
    this.scale = this.#traits.shared("scale", (value) => {
      const { choice, perLevel } = readScaleSetting(value);
      return scaleSetting(choice, perLevel);
    });
    this.levels = new LevelChoice(this.#picture, this.#traits.shared("level", readNames));
    const layer = this.#traits.shared("layer", (value) => (typeof value === "string" ? value : ""));
    this.target = this.#traits.readonly("_target", readTarget);
    const layers = computed(() =>
      this.#layers.value?.about === this.target.value.about ? this.#layers.value : null,
    );
    this.layers = new LayerChoice(layers, this.#picture, this.#attribution, layer);
    this.topLine = new TopLine(this.#retention, this.#picture, this.#attribution, this.selection, this.mode);
    this.status = this.#traits.readonly("_status", readStatus);
    const proto = this.#traits.readonly("_proto", (value) => value);
    this.error = computed(
      () =>
        protocolError(proto.value) ??
        this.#pictureError.value ??
        this.#frameError.value ??
        this.#layersError.value ??
        this.#retentionError.value,
    );
    this.kept = computed(() =>
      keptCells(this.selection.cells.value, this.mode.value, this.#picture.value?.cellCount ?? 0),
    );
    this.#traits.watch("_target", () => batch(() => this.#showLatest()));
    this.#traits.watch("_picture", (bytes) => batch(() => this.#readPicture(bytes)));
    this.#traits.watch("_frame", (bytes) => batch(() => this.#readFrame(bytes)));
    this.#traits.watch("_layers", (bytes) => batch(() => this.#readLayers(bytes)));
    this.#traits.watch("_retention", (bytes) => batch(() => this.#readRetention(bytes)));
    this.#endSelection = this.#shareSelection();
    this.#scoreRequests = this.#requestScores();
    this.scores = this.#scoreRequests.scores;
    this.#watchActivity();
    this.#connection.sendHello();
  }

  get picture(): ReadonlySignal<Picture | null> {
    return this.#picture;
  }

  /** The latest map of the current picture; null until there is one. */
  get attribution(): ReadonlySignal<AttributionFrame | null> {
    return this.#attribution;
  }

  /** The style sheet that anywidget holds for its views; null where the host keeps it to itself. */
  get sheet(): string | null {
    const sheet = (this.#model as { get(name: string): unknown }).get("_css");
    return typeof sheet === "string" && sheet !== "" ? sheet : null;
  }

  /** Ties the session to a view, whose host marks whether there is a kernel; returns the end of it. */
  attach(el: HTMLElement): () => void {
    return this.#connection.attach(el);
  }

  /** Ends the run and keeps the map it has; rejects with an RpcError. */
  async stop(): Promise<void> {
    await this.#connection.rpc.request("stop", {});
  }

  /** Goes on with a run that ended: twice its rows or the rest of them, or rows of some cells; rejects with an RpcError. */
  async deepen(cells?: readonly number[]): Promise<void> {
    await this.#connection.rpc.request("more", { cells });
  }

  dispose(): void {
    this.#scoreRequests.close();
    this.#endSelection();
    this.#traits.close();
    this.#connection.close();
  }

  #version(): FrameVersion {
    const { run, rev } = this.#latest ?? { run: "", rev: 0 };
    return { run, rev };
  }

  #readPicture(bytes: unknown): void {
    const picture = this.#decode(bytes, readPicture, this.#pictureError);
    // An unreadable picture leaves the old one in sight, under its message; an empty trait takes it away.
    if (picture === undefined) return;
    this.#picture.value = picture;
    if (picture !== null) this.selection.restart(selectionOf(this.#model), picture.cellCount);
    this.#showLatest();
  }

  #readFrame(bytes: unknown): void {
    const attribution = this.#decode(bytes, readAttribution, this.#frameError);
    if (attribution === undefined) return;
    this.#latest = attribution;
    this.#showLatest();
    if (attribution !== null) this.#model.send({ t: "ack", rev: attribution.rev });
  }

  #readLayers(bytes: unknown): void {
    const layers = this.#decode(bytes, readLayers, this.#layersError);
    if (layers !== undefined) this.#layers.value = layers;
  }

  #readRetention(bytes: unknown): void {
    const curve = this.#decode(bytes, readRetention, this.#retentionError);
    if (curve !== undefined) this.#retention.value = curve;
  }

  /** Shows the latest frame when it is of the current picture: the two traits may come in any order. */
  #showLatest(): void {
    const [picture, latest] = [this.#picture.peek(), this.#latest];
    const { about } = this.target.peek();
    if (picture !== null && latest?.run === picture.run && latest.about === about) {
      try {
        requireFit(latest, picture.cellCount, picture.bands.length);
        this.#attribution.value = latest;
      } catch (error) {
        this.#frameError.value = messageOf(error);
      }
    } else {
      const shown = this.#attribution.peek();
      if (shown?.run !== picture?.run || shown?.about !== about) this.#attribution.value = null;
    }
  }

  /** What a Bytes trait holds; null when it is empty, undefined (and a message) when it cannot be read. */
  #decode<T>(
    bytes: unknown,
    read: (frame: Frame) => T,
    failure: Signal<string | null>,
  ): T | null | undefined {
    try {
      failure.value = null;
      if (!(bytes instanceof DataView) || bytes.byteLength === 0) return null;
      return read(decodeFrame(bytes));
    } catch (error) {
      failure.value = messageOf(error);
      return undefined;
    }
  }

  #shareSelection(): () => void {
    this.#traits.watch("selection", () => this.selection.replace(selectionOf(this.#model)));
    // Where the kernel starts is no step to go back from.
    this.selection.restart(
      selectionOf(this.#model),
      this.#picture.peek()?.cellCount ?? Number.POSITIVE_INFINITY,
    );
    return effect(() => {
      this.#traits.write("selection", [...this.selection.cells.value]);
      return undefined;
    });
  }

  #requestScores(): ScoreRequests {
    const latest = this.#traits.readonly("_scores", asObject);
    const known = this.#traits.readonly("_known", asObject);
    const question = computed<Question | null>(() => {
      const picture = this.#picture.value;
      const [cells, mode] = [this.selection.cells.value, this.mode.value];
      const run = `${picture?.run} ${this.target.value.about}`;
      return picture && { key: questionKey(cells, mode), run, cells, mode };
    });
    return new ScoreRequests({
      question,
      online: computed(() => this.scored || isReachable(this.connection.value)),
      lookUp: (key) => {
        const last = readScore(latest.value);
        const score = last?.key === key ? last : knownScore(known.value, key);
        return score?.about === this.target.value.about ? score : null;
      },
      request: ({ cells, mode }, abort) =>
        this.#connection.rpc.request("score", { selection: cells, mode }, abort),
    });
  }

  /** Traits that only the kernel writes: a change of one proves that it is there. */
  #watchActivity(): void {
    let started = false;
    const note = (): void => {
      if (started) this.#connection.noteActivity();
    };
    for (const name of ["_picture", "_frame", "_layers", "_status", "_scores", "_retention"] as const)
      this.#traits.watch(name, note);
    started = true;
  }
}

function selectionOf(model: Model): number[] {
  const value: unknown = model.get("selection");
  return Array.isArray(value) ? canonical(value) : [];
}

function readNames(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
}

function readOpacity(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value)
    ? Math.min(1, Math.max(0, value))
    : DEFAULT_OPACITY;
}

function protocolError(proto: unknown): string | null {
  if (proto === PROTOCOL) return null;
  return `This page speaks version ${PROTOCOL} of the widget's protocol, the kernel version ${proto}: reload the page.`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
