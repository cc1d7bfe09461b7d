/** Any HTTPS admission endpoint under the load of bench/review.ts. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { corpus } from './review.ts'
import type { LoadAnswer, LoadQuestion } from './support/load-generator.ts'
import { measurement, type Measurement } from './support/measurement.ts'
import { startPeer } from './support/peer.ts'
import { renderTable } from './support/table.ts'

const usage = `usage: node bench/endpoint.ts --url https://127.0.0.1:PORT/PATH --ca FILE [OPTION…]

Sends AdmissionReviews to an admission endpoint on this machine and prints reviews per second and latencies, so that another engine
can be put beside Lapse: the same bodies, the same load generator. What it answers is not judged, only that it answers.

  --ca FILE           the CA of its certificate, PEM
  --servername NAME   the name that the certificate is for (default: localhost)
  --body FILE         an AdmissionReview; several times (default: those that bench/review.ts left in bench/corpus)
  --connections N     several times (default: 10 and 50)
  --seconds N         for each body and number of connections (default: 5)
`

process.exitCode = await main()

async function main(): Promise<number> {
  const options = {
    url: { type: 'string' },
    ca: { type: 'string' },
    servername: { type: 'string', default: 'localhost' },
    body: { type: 'string', multiple: true },
    connections: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '5' },
    help: { type: 'boolean', short: 'h' },
  } as const
  const { url, ca, servername, seconds, help, ...lists } = parseArgs({ options }).values
  const { body = ['passing', 'failing'].map((kind) => join(corpus, `${kind}.json`)), connections = ['10', '50'] } =
    lists
  if (help === true || url === undefined || ca === undefined) {
    console.log(usage.trimEnd())
    return help === true ? 0 : 2
  }
  const { hostname, port, pathname, search } = new URL(url)
  if (hostname !== '127.0.0.1') throw new Error('the endpoint must be on 127.0.0.1')
  const target = {
    port: Number(port),
    path: pathname + search,
    ca: await readFile(ca, 'utf8'),
    servername,
    expected: '"response"',
  }
  const generator = startPeer<LoadQuestion, LoadAnswer>(join(import.meta.dirname, 'support/load-generator.ts'))
  try {
    for (const file of body) {
      for (const count of connections.map(Number)) {
        const question = { ...target, body: await readFile(file, 'utf8'), connections: count }
        await generator.ask({ ...question, millis: 2_000 })
        const answer = await generator.ask({ ...question, millis: Number(seconds) * 1_000 })
        if (answer.failure !== null) throw new Error(`no AdmissionReview came back: ${answer.failure.slice(0, 200)}`)
        process.stdout.write(renderTable(figures(`${file.split('/').at(-1)}, ${count} connections`, answer)))
      }
    }
    return 0
  } finally {
    await generator.stop()
  }
}

function figures(name: string, { perSecond, p50, p90, p99 }: LoadAnswer): readonly Measurement[] {
  return [
    measurement(name, perSecond, '1/s'),
    ...Object.entries({ p50, p90, p99 }).map(([of, value]) => measurement(`${name}, ${of}`, value, 'ms')),
  ]
}
