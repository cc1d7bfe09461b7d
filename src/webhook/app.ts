import type { RequestListener } from 'node:http'
import express, { type ErrorRequestHandler, type Response } from 'express'
import { failure, type Reply } from './status.ts'
import { webhooks } from './webhooks.ts'

/** Everything that is not a review: who looks in by hand, and who is in the wrong place. Always JSON, never a stack. */
export function createApp(version: string): RequestListener {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  const paths = [...webhooks.keys()]
  app.get('/', (_request, response) => void response.json({ name: 'lapse webhook', version, paths }))
  app.all(paths, (_request, response) => {
    response.set('Allow', 'POST')
    send(response, failure(405, 'reviews are POSTed'))
  })
  app.use((_request, response) => send(response, failure(404, 'there is nothing here; GET / lists the paths')))
  app.use(refuseBroken)
  return app
}

/** In place of express's own page with its stack. Four parameters make it an error handler. */
const refuseBroken: ErrorRequestHandler = (_error, _request, response, _next) =>
  send(response, failure(400, 'the request cannot be read'))

function send(response: Response, { status, body }: Reply): void {
  response.status(status).type('json').send(body)
}
