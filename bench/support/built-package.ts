import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { output } from '../../test/support/command.ts'
import { imageRootVariable } from '../../test/support/pod-container.ts'

const root = join(import.meta.dirname, '../..')
const copied = ['bin', 'crds', 'package.json']

/** Runs with Lapse built as users get it, not from its sources: all that is started as a process of its own is started from there. */
import { progress } from './progress.ts'
export async function withBuiltPackage<T>(use: () => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'lapse-package-'))
  try {
    progress('building the package')
    const tsc = join(root, 'node_modules/.bin/tsc')
    await output(tsc, ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(directory, 'dist')])
    for (const name of copied) await cp(join(root, name), join(directory, name), { recursive: true })
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
    process.env[imageRootVariable] = directory
    return await use()
  } finally {
    delete process.env[imageRootVariable]
    await rm(directory, { recursive: true, force: true })
  }
}
