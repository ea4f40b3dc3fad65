export interface StepsTraits { page: "new" | "jobs"; job_id: string }
export type StepsRequest = never;
