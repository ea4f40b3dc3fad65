export interface Hint { text: string; bad: boolean }
export interface Plan {
  files: number; bytes: number; more: boolean; raw_bytes: number | null; minutes: number | null; worker_hours: number | null;
  assumes: string; counting: boolean; looking: boolean;
}
export interface Fields {
  source: string; bucket: string; prefix: string; shards: string; runner: string; region: string; machine_type: string; max_workers: string;
  num_workers: string; temp_location: string; max_failures: string; max_ratio: string; spool_mb: string; keep_partial: boolean; overwrite: boolean;
  carried: string[]; edited: [string, number];
}
export interface Choices {
  sources: [string, string][]; buckets: string[]; configurations: [string, string][]; selections: [string, string][]; settings: Record<string, string>;
}
export interface Go { state: string; label: string; says: string; alive: boolean; token: string; job: string }
export interface Code { cell: string; command: string; says: string }
export type FormRequest = { kind: "hello" } | { kind: "retry" } | { kind: "edit"; field: string; value: string | boolean; view: string; number: number }
  | { kind: "pick"; job: string; whole: boolean } | { kind: "count"; on: boolean } | { kind: "another" } | { kind: "launch"; token: string };
export interface FormTraits {
  _fields: Fields; _hints: Record<string, Hint>; _selected: { inputs: string[]; total: number }; _plan: Partial<Plan>; _code: Code; _go: Go; _choices: Partial<Choices>;
}
