/** What anywidget gives a view: traits that are kept in step with the kernel, and messages. */

export interface Model<Traits> {
  get<Name extends keyof Traits & string>(name: Name): Traits[Name];
  set<Name extends keyof Traits & string>(name: Name, value: Traits[Name]): void;
  save_changes(): void;
  send(content: object): void;
  on(event: string, call: (message: any) => void): void;
  off(event: string, call: (message: any) => void): void;
  /** Of ipywidgets: other widgets of this page, by their ids, and views of them. */
  widget_manager: { get_model(id: string): Promise<any>; create_view(model: any): Promise<{ el: HTMLElement; remove(): void }> };
}

export interface RenderProps<Traits> {
  model: Model<Traits & { error: string }>;
  el: HTMLElement;
}

/** What stands where there is no such thing: an object with none of its fields. */
export type Absent<Thing> = { [Name in keyof Thing]?: undefined };

export interface OfKind {
  kind: string;
}

/** The answer to a request that the kernel does not take. */
export interface RefusedMessage {
  kind: "refused";
  request: string;
  reason: string;
}

/** What to call for each kind of message. */
export type Calls<Message extends OfKind> = {
  [Kind in Message["kind"]]?: (message: Extract<Message, { kind: Kind }>, isNew: boolean) => void;
};
