// A child that checks a folder and prints the report: in a process of its own, as a data file that was cut short ends it.
import { checkFolder } from '../../../dist/src/stores/embedded/check-folder.js'

process.stdout.write(JSON.stringify(await checkFolder(process.argv[2])))
