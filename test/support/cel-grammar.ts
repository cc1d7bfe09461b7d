/**
 * Expressions by type, each a text in which `<type>` stands for an expression of that type. The first list of a type
 * has what needs no other; one of a field, which is of no type until it is evaluated, may stand wherever any may.
 */
type Grammar = Readonly<Record<string, readonly [readonly string[], readonly string[]]>>

const comparisons = ['==', '!=', '<', '<=', '>', '>=']
const ordered = ['int', 'uint', 'double', 'string', 'bool', 'timestamp', 'duration']
const equatable = [...ordered, 'ints', 'strings', 'map', 'amount', 'ip', 'cidr', 'semver']
const clock = 'getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes getSeconds'
const units = ['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds']
const classes = 'isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast'
const fields = 'i j d e s u b n li ls m labels nested nested.i nested.s nested.n nested.ls absent'.split(' ')

/** Fields of `object`: of no type before they are looked at. */
export const anyField = [
  ...fields.map((field) => `object.${field}`),
  "object['a b']",
  "object.labels['constructor']",
  "object.labels['app.kubernetes.io/name']",
  'object.li[0]',
  'object.ls[1]',
  'object.items[0].name',
]

const quantities = ['1', '0', '1Gi', '1G', '500m', '-1', '1e3', '0.1', '1.5Ki', '100n', '12E', '1048576'].map(
  (text) => `quantity('${text}')`,
)

const addresses = [
  '10.0.0.1',
  '0.0.0.0',
  '127.0.0.1',
  '169.254.169.254',
  '224.0.0.5',
  '239.1.1.1',
  '255.255.255.255',
  '::',
  '::1',
  ...'fe80::1 ff02::1 2001:db8::1 2001:DB8::1 2001:db8:0:0:1:0:0:1 fc00::1 ff05::2'.split(' '),
]

// prettier-ignore
export const grammar: Grammar = {
  dyn: [anyField, ['object.li[<int>]', 'object.labels[<string>]', 'dyn(<int>)', 'dyn(<double>)', 'dyn(<string>)']],
  bool: [
    ['true', 'false', 'object.b', ...anyField.map((field) => `${field} == null`), ...fields.map(hasField)],
    ['<condition>', '<bool> ? <bool> : <bool>'],
  ],
  /** What is known to be a bool before it is evaluated, and some that do not compile. */
  condition: [
    fields.map(hasField),
    [
      '<bool> && <bool>', '<bool> || <bool>', '!<bool>', '<bool> ? <condition> : <condition>',
      ...equatable.flatMap((type) => [`<${type}> == <${type}>`, `<${type}> != <${type}>`]),
      ...ordered.flatMap((type) => comparisons.map((operator) => `<${type}> ${operator} <${type}>`)),
      '<int> < <double>', '<double> >= <uint>', '<uint> <= <int>',
      ...comparisons.map((operator) => `<dyn> ${operator} <dyn>`),
      ...['int', 'double', 'string', 'bool'].flatMap((type) => [`<dyn> == <${type}>`, `<${type}> < <dyn>`]),
      '<string>.startsWith(<string>)', '<string>.endsWith(<string>)', '<string>.contains(<string>)',
      '<string>.matches(<pattern>)', '<dyn>.startsWith(<string>)', '<int> in <ints>', '<string> in <strings>',
      '<string> in <map>', '<dyn> in <strings>', '<dyn> in <dyn>', '<string> in object', "'n' in object",
      "'n' in object.nested", "string(<double>).contains('e+')", 'string(<double>).startsWith(<digits>)',
      ...['all', 'exists', 'exists_one'].flatMap((macro) => [
        `<ints>.${macro}(x, x > <int>)`,
        `<ints>.${macro}(x, <bool>)`,
        `<strings>.${macro}(x, x.startsWith(<string>))`,
        `<map>.${macro}(x, x == <string>)`,
        `<dyn>.${macro}(x, x == <string>)`,
        `<ints>.${macro}(x, <int> / x > 1)`,
        `<ints>.${macro}(x, <ints>.${macro}(y, x < y))`,
      ]),
      '<numbers>.isSorted()', '<names>.isSorted()', '<dyn>.isSorted()', 'isQuantity(<string>)',
      '<quantity>.isInteger()', '<quantity>.isGreaterThan(<quantity>)', '<quantity>.isLessThan(<quantity>)',
      'isIP(<string>)', 'ip.isCanonical(<string>)',
      ...classes.split(' ').map((name) => `<ip>.${name}()`),
      'isCIDR(<string>)', '<cidr>.containsIP(<ip>)', '<cidr>.containsIP(<string>)', '<cidr>.containsCIDR(<cidr>)',
      '<cidr>.containsCIDR(<string>)', 'isSemver(<string>)', '<semver>.isLessThan(<semver>)',
      '<semver>.isGreaterThan(<semver>)',
      ...['int', 'uint', 'double', 'string', 'bool'].map((type) => `type(<dyn>) == ${type}`),
      'type(<dyn>) == type(<dyn>)', 'bool(<string>)',
      // what does not compile
      "<whole> == '1'", '<word> < <whole>', '<whole> && <bool>', '<whole>.startsWith(<string>)', '<whole> == 1.0',
      '<word> == null', '<whole> + 2.5 == 1.0', '!<word>', 'nothing == <int>', '<int>.nothing()',
    ],
  ],
  int: [
    [...'0 1 2 3 7 -1 -7 10 9223372036854775807 -9223372036854775808'.split(' '), 'object.i', 'object.nested.i'],
    [
      ...['+', '-', '*', '/', '%'].map((operator) => `<int> ${operator} <int>`),
      '-<int>', '<bool> ? <int> : <int>', 'size(<string>)', '<string>.size()', '<strings>.size()', 'size(<map>)',
      'size(<dyn>)', 'int(<double>)', 'int(<uint>)', 'int(<string>)', 'int(<timestamp>)',
      '<string>.indexOf(<string>)', '<string>.indexOf(<string>, <int>)', '<string>.lastIndexOf(<string>)',
      '<string>.lastIndexOf(<string>, <int>)', '<numbers>.sum()', '<numbers>.min()', '<numbers>.max()',
      '<ints>.indexOf(<int>)', '<strings>.lastIndexOf(<string>)', '<ints>[<int>]', 'sign(<quantity>)',
      '<quantity>.asInteger()', '<quantity>.compareTo(<quantity>)', '<ip>.family()', '<cidr>.prefixLength()',
      '<semver>.major()', '<semver>.minor()', '<semver>.patch()', '<semver>.compareTo(<semver>)',
      ...clock.split(' ').flatMap((name) => [`<timestamp>.${name}()`, `<timestamp>.${name}(<zone>)`]),
      '<timestamp>.getMilliseconds()',
      ...units.map((name) => `<duration>.${name}()`),
    ],
  ],
  uint: [
    ['0u', '1u', '2u', '18446744073709551615u'],
    [
      ...['+', '-', '*', '/', '%'].map((operator) => `<uint> ${operator} <uint>`),
      'uint(<int>)', 'uint(<string>)', 'uint(<double>)',
    ],
  ],
  double: [
    ['0.0', '1.0', '-1.5', '0.1', '2.5', '1e300', '9223372036854775807.0', 'object.d', 'object.e'],
    [
      ...['+', '-', '*', '/'].map((operator) => `<double> ${operator} <double>`),
      '-<double>', 'double(<int>)', 'double(<uint>)', 'double(<string>)', '<quantity>.asApproximateFloat()',
    ],
  ],
  share: [['0.0', '1.0', '-1.5', '0.1', '2.5', '999.75'], []],
  count: [['0', '1', '3', '-7', '1000'], []],
  digits: [["'1'", "'-'", "'0.'", "'1e'", "'1e+0'", "'9.22'", "'9007199254740992'", "'100'", "'N'", "'+'"], []],
  string: [
    [
      "''",
        "'a'", "'b'", "'ab'", "'a,b,c'", "'ÄÖ'", "'ß😀é'", "'！'", "' a\\t'", "'12'", "'-5'", "'1.5'", "'true'",
        "'A-b_C'",
      "'10.0.0.1'", "'1Gi'", "'500m'", "'1.2.3'", "'10.0.0.0/8'", "'app.kubernetes.io/name'", "'constructor'",
      'object.s', 'object.u', 'object.nested.s', "object['a b']",
    ],
    [
      '<string> + <string>', '<bool> ? <string> : <string>', '<string>.lowerAscii()', '<string>.upperAscii()',
      '<string>.trim()', '<string>.charAt(<int>)', '<string>.substring(<int>)', '<string>.substring(<int>, <int>)',
      '<string>.replace(<string>, <string>)', '<string>.replace(<string>, <string>, <int>)', '<strings>.join()',
      '<strings>.join(<string>)', '<dyn>.join(<string>)', '<strings>[<int>]', '<names>.max()',
      '<string>.find(<pattern>)', 'string(<int>)', 'string(<uint>)', 'string(<double>)', 'string(<bool>)',
      'string(<timestamp>)', 'string(<duration>)', 'string(<ip>)', 'string(<cidr>)',
      "'%s-%d'.format([<string>, <int>])", "'%s %s'.format([<string>, <bool>])",
      "'%x %b %o'.format([<int>, <int>, <int>])", "'%.2f'.format([<share>])", "'%s'.format([<string>])",
    ],
  ],
  ints: [
    ['[1, 2, 3]', '[3, 1, 2, 1]', '[0]', 'object.li', '[9223372036854775807, 1]'],
    [
      '[<whole>, <whole>]', '<ints> + <ints>', '<numbers>.map(x, x * <int>)', '<numbers>.filter(x, x > <int>)',
      '<numbers>.filter(x, <bool>)', '<numbers>.map(x, x > <int>, x + 1)', '<names>.map(x, size(x))',
    ],
  ],
  /** Lists of one type each: what is put together of fields may be mixed, and maps have no order in Kubernetes. */
  numbers: [['[1, 2, 3]', '[3, 1, 2, 1]', '[0]', 'object.li'], ['[<whole>, <whole>]', '<names>.map(x, size(x))']],
  names: [["['a', 'b']", "['b', 'ÄÖ', '']", 'object.ls', 'object.nested.ls'], ['[<word>, <word>]', '<string>.split(<string>)']],
  strings: [
    ["['a', 'b']", "['b', 'ÄÖ', '']", "['12']", 'object.ls', 'object.nested.ls'],
    [
      '[<word>, <word>]', '<strings> + <strings>', '<string>.split(<string>)', '<string>.split(<string>, <int>)',
      '<string>.findAll(<pattern>)', '<string>.findAll(<pattern>, <int>)', '<names>.map(x, x + <string>)',
      '<names>.filter(x, x.contains(<string>))',
    ],
  ],
  map: [
    ["{'a': 1, 'b': 2}", "{'constructor': 1}", 'object.m'],
    ['{<word>: <whole>}', "{'a': <whole>, 'b': <whole>}"],
  ],
  timestamp: [
    [
      'now',
      ...[
        '2027-01-15T12:00:00Z', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z', '2024-02-29T23:30:00.5+02:00',
        '1969-12-31T23:59:59.25Z',
      ].map((text) => `timestamp('${text}')`),
    ],
    ['<timestamp> + <duration>', '<timestamp> - <duration>', 'timestamp(<int>)', 'timestamp(<string>)'],
  ],
  duration: [
    ['1h', '90m', '-1.5s', '250ms', '1h30m5s', '0s', '2540400h', '100ns'].map((text) => `duration('${text}')`),
    ['<duration> + <duration>', '<duration> - <duration>', '<timestamp> - <timestamp>', 'duration(<string>)'],
  ],
  /** Ints and texts of which that is known before they are evaluated: a list that is written down needs such. */
  whole: [
    ['0', '1', '2', '-1', '-7', '10', '9223372036854775807'],
    ['size(<string>)', 'int(<double>)', '<string>.indexOf(<string>)', '<whole> - <whole>', '<ip>.family()'],
  ],
  word: [
    ["''", "'a'", "'b'", "'ÄÖ'", "'12'", "'constructor'"],
    ['string(<int>)', '<string>.lowerAscii()', '<string>.find(<pattern>)', '<word> + <word>'],
  ],
  /** Quantities as they are read. */
  amount: [quantities, ['quantity(<string>)']],
  quantity: [
    quantities,
    [
      'quantity(<string>)', '<quantity>.add(<quantity>)', '<quantity>.sub(<quantity>)', '<quantity>.add(<int>)',
      '<quantity>.sub(<count>)',
    ],
  ],
  ip: [
    addresses.map((text) => `ip('${text}')`),
    ['ip(<string>)', '<cidr>.ip()'],
  ],
  cidr: [
    '10.0.0.0/8 10.1.2.3/8 0.0.0.0/0 10.0.0.1/32 ::/0 2001:db8::/32 fe80::1/10 192.168.1.0/24'
      .split(' ')
      .map((text) => `cidr('${text}')`),
    ['cidr(<string>)', '<cidr>.masked()'],
  ],
  semver: [
    '1.2.3 1.10.0 1.9.0 1.2.3-rc.1 1.2.3-rc.2 1.2.3-alpha 1.2.3+build 0.0.0 1.2.3-1'
      .split(' ')
      .map((text) => `semver('${text}')`),
    ['semver(<string>)'],
  ],
  pattern: [
    [
      "'^a'", "'[0-9]+'", "'b$'", "'.'", "'^$'", "'(a|b)+'", "'\\\\d'", "'(?i)A'", "'\\\\p{L}+'", "''", "'[^a-z]'",
      "'x*'", "'('", "'a(?=b)'",
    ],
    [],
  ],
  zone: [
    ["'UTC'", "'Europe/Berlin'", "'America/New_York'", "'+05:30'", "'-08:00'", "'02:00'", "'Nowhere/Town'", "''"],
    [],
  ],
}

function hasField(field: string): string {
  return `has(object.${field})`
}
