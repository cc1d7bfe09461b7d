import type { CelValue } from '@bufbuild/cel'
import {
  contains,
  formatAddress,
  masked,
  parseAddress,
  parseNetwork,
  type Address,
  type Network,
} from './ip-address.ts'
import { Fault } from './meter.ts'
import { overload, text, type Overload } from './overload.ts'
import { unwrap, wrap } from './value.ts'

function address(value: CelValue | undefined): Address {
  return unwrap(value ?? null, 'ip')
}

function network(value: CelValue | undefined): Network {
  return unwrap(value ?? null, 'cidr')
}

function readAddress(from: CelValue | undefined): Address {
  const found = parseAddress(text(from))
  if (found === null) throw new Fault('the text is no IP address')
  return found
}

function readNetwork(from: CelValue | undefined): Network {
  const found = parseNetwork(text(from))
  if (found === null) throw new Fault('the text is no CIDR')
  return found
}

function ip({ family, bits }: Address): CelValue {
  return wrap({ tag: 'ip', family, bits })
}

function cidr({ family, bits, length }: Network): CelValue {
  return wrap({ tag: 'cidr', family, bits, length })
}

function within(...texts: readonly string[]): (of: Address) => boolean {
  const networks = texts.map(parseNetwork).filter((each) => each !== null)
  return (of) => networks.some((each) => contains(each, of))
}

const isUnspecified = within('0.0.0.0/32', '::/128')
const isLoopback = within('127.0.0.0/8', '::1/128')
const isMulticast = within('224.0.0.0/4', 'ff00::/8')
const isLinkLocalMulticast = within('224.0.0.0/24', 'ff02::/16')
const isLinkLocalUnicast = within('169.254.0.0/16', 'fe80::/10')
const isBroadcast = within('255.255.255.255/32')

function isGlobalUnicast(of: Address): boolean {
  return ![isUnspecified, isLoopback, isMulticast, isLinkLocalUnicast, isBroadcast].some((holds) => holds(of))
}

const classes: Readonly<Record<string, (of: Address) => boolean>> = {
  isUnspecified,
  isLoopback,
  isLinkLocalMulticast,
  isLinkLocalUnicast,
  isGlobalUnicast,
}

export const networks: readonly Overload[] = [
  overload('ip', ['string'], 'ip', ([from]) => ip(readAddress(from))),
  overload('isIP', ['string'], 'bool', ([from]) => parseAddress(text(from)) !== null),
  overload('ip.isCanonical', ['string'], 'bool', ([from]) => formatAddress(readAddress(from)) === text(from)),
  overload('string', ['ip'], 'string', ([of]) => formatAddress(address(of))),
  overload('.family', ['ip'], 'int', ([of]) => BigInt(address(of).family)),
  ...Object.entries(classes).map(([name, holds]) => overload(`.${name}`, ['ip'], 'bool', ([of]) => holds(address(of)))),
  overload('cidr', ['string'], 'cidr', ([from]) => cidr(readNetwork(from))),
  overload('isCIDR', ['string'], 'bool', ([from]) => parseNetwork(text(from)) !== null),
  overload('string', ['cidr'], 'string', ([of]) => `${formatAddress(network(of))}/${network(of).length}`),
  overload('.containsIP', ['cidr', 'ip'], 'bool', ([of, inner]) => contains(network(of), address(inner))),
  overload('.containsIP', ['cidr', 'string'], 'bool', ([of, inner]) => contains(network(of), readAddress(inner))),
  overload('.containsCIDR', ['cidr', 'cidr'], 'bool', ([of, inner]) => contains(network(of), network(inner))),
  overload('.containsCIDR', ['cidr', 'string'], 'bool', ([of, inner]) => contains(network(of), readNetwork(inner))),
  overload('.ip', ['cidr'], 'ip', ([of]) => ip(network(of))),
  overload('.masked', ['cidr'], 'cidr', ([of]) => cidr(masked(network(of)))),
  overload('.prefixLength', ['cidr'], 'int', ([of]) => BigInt(network(of).length)),
]
