import { expect } from 'chai'
import { createMetrics, type Metrics } from '../../src/runtime/metrics.ts'

describe('the metrics', () => {
  let metrics: Metrics
  beforeEach(() => {
    metrics = createMetrics({ version: '1.2.3' })
  })

  /** The lines of these names, buckets left out. */
  async function samples(...names: readonly string[]): Promise<readonly string[]> {
    const { body } = await metrics.render()
    return body
      .split('\n')
      .filter((line) => names.some((name) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)))
  }

  it('say what runs', async () => {
    expect(await samples('lapse_build_info')).to.deep.equal([
      `lapse_build_info{version="1.2.3",node="${process.version}"} 1`,
    ])
  })

  it('show a worker that is stuck, at the time of the scrape', async () => {
    let ages = [1_500, 40_000]
    metrics.queue('grants').unfinished(() => ages)
    const names = ['workqueue_unfinished_work_seconds', 'workqueue_longest_running_processor_seconds'] as const
    const labels = '{name="grants",controller="grants"}'
    expect(await samples(...names)).to.deep.equal([`${names[0]}${labels} 41.5`, `${names[1]}${labels} 40`])
    ages = []
    expect(await samples(...names)).to.deep.equal([`${names[0]}${labels} 0`, `${names[1]}${labels} 0`])
  })

  it("tell of a queue and its reconciles under controller-runtime's names", async () => {
    const queue = metrics.queue('grants')
    queue.workers(4)
    queue.added()
    queue.depth(1)
    queue.started(20)
    queue.finished('error', 500)
    queue.retried()
    queue.started(0)
    queue.finished('requeue_after', 1_500)
    expect(
      await samples(
        'workqueue_depth',
        'workqueue_adds_total',
        'workqueue_retries_total',
        'workqueue_queue_duration_seconds_sum',
        'workqueue_work_duration_seconds_count',
        'controller_runtime_reconcile_total',
        'controller_runtime_reconcile_errors_total',
        'controller_runtime_reconcile_time_seconds_sum',
        'controller_runtime_max_concurrent_reconciles',
        'controller_runtime_active_workers',
      ),
    ).to.deep.equal([
      'workqueue_depth{name="grants",controller="grants"} 1',
      'workqueue_adds_total{name="grants",controller="grants"} 1',
      'workqueue_retries_total{name="grants",controller="grants"} 1',
      'workqueue_queue_duration_seconds_sum{name="grants",controller="grants"} 0.02',
      'workqueue_work_duration_seconds_count{name="grants",controller="grants"} 2',
      'controller_runtime_reconcile_total{controller="grants",result="error"} 1',
      'controller_runtime_reconcile_total{controller="grants",result="requeue_after"} 1',
      'controller_runtime_reconcile_errors_total{controller="grants"} 1',
      'controller_runtime_reconcile_time_seconds_sum{controller="grants"} 2',
      'controller_runtime_max_concurrent_reconciles{controller="grants"} 4',
      'controller_runtime_active_workers{controller="grants"} 0',
    ])
  })

  it('count what Lapse does, in seconds', async () => {
    metrics.overstay(12)
    metrics.grant({ policy: 'p', namespace: 'n', outcome: 'Expired' })
    metrics.review({ webhook: 'workloads', verdict: 'deny', duration: 4 })
    metrics.watchRestarted('nhigrants')
    metrics.handlerFailed('nhigrants')
    expect(
      await samples(
        'lapse_overstay_seconds_sum',
        'lapse_grants_total',
        'lapse_admission_reviews_total',
        'lapse_admission_duration_seconds_sum',
        'lapse_watch_restarts_total',
        'lapse_cache_handler_failures_total',
      ),
    ).to.deep.equal([
      'lapse_overstay_seconds_sum 0.012',
      'lapse_grants_total{policy="p",namespace="n",outcome="Expired"} 1',
      'lapse_admission_reviews_total{webhook="workloads",verdict="deny"} 1',
      'lapse_admission_duration_seconds_sum{webhook="workloads"} 0.004',
      'lapse_watch_restarts_total{resource="nhigrants"} 1',
      'lapse_cache_handler_failures_total{resource="nhigrants"} 1',
    ])
  })

  it('F20: bear no label that grows with the number of grants, subjects or requests', async () => {
    metrics.grant({ policy: 'p', namespace: 'n', outcome: 'Expired' })
    metrics.review({ webhook: 'workloads', verdict: 'deny', duration: 4 })
    metrics.drift({ kind: 'Changed', outcome: 'Healed' })
    metrics.watchRestarted('nhigrants')
    const { body } = await metrics.render()
    const labels = new Set([...body.matchAll(/(?<=[{,])([a-z_]+)=/g)].map(([, label]) => label))
    expect([...labels]).to.include.members(['policy', 'namespace', 'webhook', 'kind', 'resource'])
    expect([...labels].filter((label) => /name$|uid|grant|subject|requester|user/.test(label ?? ''))).to.deep.equal([])
  })

  it('tell an over-stay of a few milliseconds from one of a second', async () => {
    metrics.overstay(3)
    const { body } = await metrics.render()
    expect(body).to.contain('lapse_overstay_seconds_bucket{le="0.0025"} 0')
    expect(body).to.contain('lapse_overstay_seconds_bucket{le="0.005"} 1')
  })

  it('read ages and gauges when they are asked', async () => {
    let age: number | null = null
    let loops = 1
    metrics.cacheAge('roles', () => age)
    metrics.gauge('lapse_pool_free', 'Names that are free.', () => loops)
    expect(await samples('lapse_cache_age_seconds')).to.deep.equal([])
    age = 2_500
    loops = 7
    expect(await samples('lapse_cache_age_seconds', 'lapse_pool_free')).to.deep.equal([
      'lapse_cache_age_seconds{resource="roles"} 2.5',
      'lapse_pool_free 7',
    ])
  })

  it('read a gauge of policies when they are asked, and forget a policy that has none', async () => {
    let counts = new Map([
      ['payments', 2],
      ['search', 1],
    ])
    metrics.gaugeByPolicy('lapse_open', 'Open.', () => counts)
    expect(await samples('lapse_open')).to.deep.equal([
      'lapse_open{policy="payments"} 2',
      'lapse_open{policy="search"} 1',
    ])
    counts = new Map([['search', 3]])
    expect(await samples('lapse_open')).to.deep.equal(['lapse_open{policy="search"} 3'])
  })

  it('belong to one process part: two sets do not mix', async () => {
    createMetrics({ version: '1.2.3' }).watchRestarted('roles')
    expect(await samples('lapse_watch_restarts_total')).to.deep.equal([])
  })
})
