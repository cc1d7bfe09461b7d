import { dump } from 'js-yaml'
import { customResourceDefinition, kinds } from '../src/api/v1alpha1/crds.ts'
import { checksPage } from './checks-page.ts'
import { specPage } from './spec-page.ts'

/** Every file that follows from src/api and from the catalogue of checks: path from the repository's root, and content. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const kind of kinds) {
    const crd = `# Generated from src/api by scripts/generate.ts; change it there.\n${dump(customResourceDefinition(kind), { noRefs: true, lineWidth: 120 })}`
    files.set(`crds/lapse.dev_${kind.plural}.yaml`, crd)
    files.set(`charts/lapse/files/crds/lapse.dev_${kind.plural}.yaml`, crd)
    files.set(`docs/spec/${kind.singular}.md`, specPage(kind))
  }
  files.set('docs/spec/checks.md', checksPage())
  return files
}
