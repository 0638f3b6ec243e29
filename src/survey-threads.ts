// Composition: threads that survey logs beside this one.
import { Worker } from 'node:worker_threads'
import type { SurveyThreads } from './stores/files/survey-threads.js'

/** Up to so many threads, started where logs are large enough; undefined for none. */
export function surveyThreads(count: number): SurveyThreads | undefined {
  if (count < 1) return undefined
  return {
    count,
    start: (start, transfer) =>
      new Worker(new URL('./survey-thread.js', import.meta.url), { workerData: start, transferList: [...transfer] }),
  }
}
