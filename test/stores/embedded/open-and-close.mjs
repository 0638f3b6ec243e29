// A child: opens the store in argv[2] for reading and closes it again, as fast as it can, until it is killed.
import { openEmbeddedStore } from '../../../dist/src/stores/embedded/embedded-store.js'

for (;;) {
  const store = await openEmbeddedStore({ folder: process.argv[2], readOnly: true })
  await store.close()
}
