import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkEntries, type CheckEntry } from '../src/core/check-catalogue.ts'

/** One folder for each check that judges what can stand in a file: policy.yaml, fails.yaml and passes.yaml. */
export const examplesFolder = join(import.meta.dirname, '..', 'examples', 'checks')

const areas: readonly (readonly [area: CheckEntry['area'], heading: string, text: string])[] = [
  [
    'Host',
    'Pod settings',
    'The Pod Security Standards, by `workloads.podSecurity`: every check of k8s.io/pod-security-admission in every version from v1.0 to v1.36, and `latest`, which is v1.36. All hold for init, main and ephemeral containers. Level restricted includes baseline.',
  ],
  [
    'Token',
    'Tokens and Secrets within reach',
    'By `workloads.checks` and `workloads.maxTokenLifetime`. A token is within reach when it is mounted (the Pod says so, or its ServiceAccount, or neither of them), projected, or lies on the node under a hostPath.',
  ],
  [
    'Access',
    'Held access',
    'By `workloads.forbid`, of workloads that can reach a token: requests put to the rules that RBAC applies to the ServiceAccount and its groups, never a match on their text. What a live grant gives does not count. Where one object is enough, so is a rule with resourceNames. In a namespace other than kube-system the severity is one lower, and never below Low. Which namespaces would be as good as kube-system is not computed: it takes the effective access of every account anew after each change of RBAC, which an admission cannot wait for. A finding of severity Info is no breach: it goes on record as with enforcement Audit.',
  ],
  ['Escalation', 'Escalation', 'What the ServiceAccount can become, of workloads that can reach a token.'],
  ['Standing', 'Standing access', 'Bindings, roles and tokens as they are written.'],
  ['Pin', 'Pins', 'The annotation `lapse.dev/policy` of a pod template, by `workloads.pin`.'],
  ['Condition', 'Conditions', 'Expressions that a policy writes itself.'],
  ['Object', 'Grants, policies and what guards them', 'At admission and in `lapse check`, whatever a policy says.'],
]

const notJudged = [
  '| not a check | why |',
  '| --- | --- |',
  '| R25, the ClusterRoles `admin` and `edit` | found by what they amount to: secrets-read, secrets-write, workload-create, pod-mutate, exec, token-request, impersonate, traffic-redirect and destroy. A role of the same content under another name is found alike, and one of these names with less is not |',
  '| T06, T07 one account or Secret for several workloads or environments; T12 accounts that nobody uses; T13, T16 tokens used elsewhere | needs what has happened, not what is written |',
  '| tokens in Secrets under other names than those of T04 | Lapse does not read Secrets |',
  '| tokens that the API server extends (`--service-account-extend-token-expiration`, to a year for those with 3607 s) | a flag of the API server, which no object shows |',
  '| `get` on pods/exec and its like from Kubernetes 1.35 on | counted as `create` is, whatever the server: a policy does not know which servers it will meet, and the verb is of no other use |',
]

/** The reference page of all checks: from the catalogue, and from the examples that the tests run. */
export function checksPage(): string {
  const lines = [
    '<!-- Generated from src/core/check-catalogue.ts and examples/checks by scripts/generate.ts; change it there. -->',
    '# Checks',
    '',
    'Everything that a workload, a grant or a policy can be refused for. The id stands in messages, in `lapse check` and in policies, and does not change; the code is that of this page. The example of a check is `examples/checks/ID`: `lapse check -f fails.yaml --policy policy.yaml` finds exactly this check, and nothing in passes.yaml (but service-account-missing, which only admission can tell).',
    '',
    ...areas.flatMap(([area, heading, text]) => areaLines(area, heading, text)),
    '## What is not judged',
    '',
    ...notJudged,
  ]
  return `${lines.join('\n')}\n`
}

function areaLines(area: CheckEntry['area'], heading: string, text: string): readonly string[] {
  const entries = checkEntries.filter((entry) => entry.area === area)
  if (entries.length === 0) return []
  const table = entries.map(
    ({ id, code, title, severity }) => `| ${code} | [${id}](#${anchorOf(code, id)}) | ${severity} | ${title} |`,
  )
  return [
    `## ${heading}`,
    '',
    text,
    '',
    '| code | id | severity | |',
    '| --- | --- | --- | --- |',
    ...table,
    '',
    ...entries.flatMap(entryLines),
  ]
}

function anchorOf(code: string, id: string): string {
  return `${code.toLowerCase()}-${id}`
}

function entryLines({ id, code, title, what, severity, remedy, references, waivable }: CheckEntry): readonly string[] {
  const known = references.length === 0 ? '' : ` · ${references.join(', ')}`
  return [
    `### ${code} ${id}`,
    '',
    `${title}. **${severity}**${waivable ? ' · a grant may waive it' : ''}${known}`,
    '',
    `- Looks at: ${what}`,
    `- Remedy: ${remedy}.`,
    '',
    ...exampleLines(id),
  ]
}

function exampleLines(id: string): readonly string[] {
  if (!existsSync(join(examplesFolder, id))) return []
  return [
    `Under a policy with`,
    ...fenced(termsOf(read(id, 'policy'))),
    'this fails:',
    ...fenced(read(id, 'fails')),
    'and this passes:',
    ...fenced(read(id, 'passes')),
  ]
}

function read(id: string, file: 'policy' | 'fails' | 'passes'): string {
  return readFileSync(join(examplesFolder, id, `${file}.yaml`), 'utf8').trimEnd()
}

/** The part of an example's policy that the check is about. */
function termsOf(policy: string): string {
  const terms = /^ {2}workloads:\n(?: {4}.*\n?)+/m.exec(policy)?.[0] ?? ''
  return terms.trimEnd().replaceAll(/^ {2}/gm, '')
}

function fenced(yaml: string): readonly string[] {
  return ['', '```yaml', ...yaml.split('\n'), '```', '']
}
