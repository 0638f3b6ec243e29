// Composition: what runs in a thread that surveys logs.
import { parentPort, workerData } from 'node:worker_threads'
import { surveyInThread, type ThreadStart } from './stores/files/survey-threads.js'

if (parentPort) await surveyInThread(workerData as ThreadStart, parentPort)
