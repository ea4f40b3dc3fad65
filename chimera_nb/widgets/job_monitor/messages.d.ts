import type { Absent } from "../base/model.js";

export type StageState = [name: "read" | "decompress" | "write", state: string];
export interface Job {
  id: string; status: string; final: boolean; word: string; error: string | null; source: string; runner: string; createdAt: string;
  createdBy: string | null; finishedAt: string | null; inputs: string[]; inputsTotal: number; target: string; dataflowUrl: string | null;
  stages: StageState[]; listed: number; complete: number; failed: number; fraction: number | null; readBytes: number | null; rawBytes: number | null;
  lines: number | null; outputBytes: number | null; workers: number | null; seconds: number | null; speed: number | null; averageSpeed: number | null;
  secondsLeft: number | null;
}
export type Failure = [uri: string, reason: string];
export interface Loading { state: "loading" }
export interface Failed { state: "failed"; error: string }
export interface Failures { state: "ready"; rows: Failure[]; total: number }
export interface Series { name: string; points: [number, number][] }
export interface Plot { x: { name: string; time: boolean }; series: Series[] }
export interface Shard { name: string; size: number | null; link: string | null }
export interface Column { name: string; numeric: boolean }
export interface Result {
  state: "ready"; path: string; shards: Shard[]; shardsTotal: number; bytes: number;
  missing: number; columns: Column[]; columnsTotal: number; rows: string[][]; rowsRead: number;
  plot: Plot;
}
export type LogLine = [time: string, level: "info" | "warning" | "error", text: string];
export interface LogMessage { kind: "log"; begin: boolean; drop: number; lines: LogLine[]; leftOut: number }
export interface CsvMessage { kind: "csv"; view: string; name: string; text: string }
export type MonitorMessage = LogMessage | CsvMessage;
export type Act = "cancel" | "retry" | "clone" | "save";
export type MonitorRequest = { kind: "hello" | "here" | "bye"; view: string } | { kind: Act; job: string; view: string } | { kind: "anew" };
export type FailuresState = Failures | Loading | Failed | Absent<Failures>;
export type ResultState = Result | Loading | Failed | Absent<Result>;
export interface MonitorTraits {
  job_id: string; status: string; _job: Job | Absent<Job>; _points: [number, number][]; _failures: FailuresState; _result: ResultState; _busy: string;
}
