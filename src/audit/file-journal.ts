import { constants } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Journal, Opening } from './journal.ts'
import { readTail } from './tail.ts'

/** Nobody but the owner changes it; the group may read it, to ship it. */
const mode = 0o640

interface OpenFile {
  readonly handle: FileHandle
  readonly inode: number
  readonly device: number
  /** Bytes that are known to be there. */
  size: number
}

/**
 * A file that is only ever appended to, each append synchronised with the disk. A file that was renamed, removed or cut
 * off is noticed before the next append.
 */
export class FileJournal implements Journal {
  readonly #path: string
  #file: OpenFile | null = null
  /** The last line has no line feed. */
  #isCutOff = false

  constructor(path: string) {
    this.#path = path
  }

  async open(): Promise<Opening> {
    if (this.#file !== null && (await this.#isAsLeft(this.#file))) return { kind: 'Same' }
    await this.close()
    const file = await this.#reopen()
    this.#file = file
    if (file.size === 0) {
      this.#isCutOff = false
      return { kind: 'Empty' }
    }
    const { tip, torn, endsInLine } = await readTail(file.handle, file.size)
    this.#isCutOff = endsInLine
    return { kind: 'Found', tip, torn }
  }

  async append(lines: string): Promise<void> {
    const file = this.#file
    if (file === null) throw new Error('the audit file is not open')
    const bytes = Buffer.from(this.#isCutOff ? `\n${lines}` : lines)
    try {
      await writeAll(file.handle, bytes)
      await file.handle.datasync()
      file.size += bytes.length
      this.#isCutOff = false
    } catch (error) {
      await this.close() // how much of it is there is found out when it is opened again
      throw error
    }
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.handle.close().catch(() => {})
  }

  async #isAsLeft({ inode, device, size }: OpenFile): Promise<boolean> {
    const now = await stat(this.#path).catch(() => null)
    return now !== null && now.ino === inode && now.dev === device && now.size === size
  }

  async #reopen(): Promise<OpenFile> {
    const { O_APPEND, O_CREAT, O_RDWR } = constants
    const handle = await open(this.#path, O_APPEND | O_CREAT | O_RDWR, mode)
    try {
      const { ino: inode, dev: device, size } = await handle.stat()
      // its name must outlive a crash too
      if (size === 0) await syncDirectory(dirname(this.#path))
      return { handle, inode, device, size }
    } catch (error) {
      await handle.close()
      throw error
    }
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, written)
    written += bytesWritten
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
