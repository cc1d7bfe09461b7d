import { expect } from 'chai'
import { policyBudget } from '../../../src/core/cel/budget.ts'
import { condition, verdictOf } from './condition-of.ts'

/** An object with 50 numbers and a text of many letters. */
const large = { items: Array.from({ length: 50 }, (_, index) => index), text: `${'a'.repeat(20_000)}!` }

describe('the input of a condition', () => {
  const seen: readonly (readonly [sentence: string, text: string, object: unknown])[] = [
    ['has labels with names of what every object has', 'object.constructor == "x"', { constructor: 'x' }],
    ['does not have what every object has', '!has(object.constructor) && !("toString" in object)', {}],
    ['has a label __proto__ if it is written', 'object["__proto__"] == "x"', JSON.parse('{"__proto__": "x"}')],
    ['has whole numbers as ints', 'object.replicas == 3 && object.replicas / 2 == 1', { replicas: 3 }],
    ['has others as doubles', 'object.share == 0.5', { share: 0.5 }],
    ['has whole numbers beyond 64 bits as doubles', 'object.big > 1e299 && type(object.big) == double', { big: 1e300 }],
    ['has keys whose value is null', 'has(object.a) && "a" in object && object.a == null', { a: null }],
    ['does not have keys that are not there', '!has(object.b) && !("b" in object)', { a: null }],
    ['keeps the order and number of keys', 'object.map(k, k) == ["b", "a"] && object.size() == 2', { b: 1, a: 2 }],
  ]
  for (const [sentence, text, object] of seen) it(sentence, () => expect(verdictOf(text, object)).to.equal(true))
})

describe('what the engine gets wrong', () => {
  const mended: readonly (readonly [sentence: string, text: string, verdict: boolean | string])[] = [
    ['timestamp(int) takes seconds', 'timestamp(5) == timestamp("1970-01-01T00:00:05Z")', true],
    ['double of no number is an error', 'double(request.name) == 1.0', 'line 1, column 1: the text is no number'],
    ['no text is a duration of nothing', 'duration(request.name.substring(3)) == duration("0s")', 'line 1, column 1: the text is no duration'],
    ['a duration may be of several units', 'duration("-1h30m1.5s") == duration("-5401500ms") && string(duration("-1.5s")) == "-1.5s"', true],
    ['a duration is not made of a number', 'duration(dyn(1)) == duration("1s")', 'line 1, column 1: a value is of a type that this does not take'],
    ['milliseconds of a duration are all of them', 'duration("90m").getMilliseconds() == 5400000', true],
    ['doubles are written as Go writes them', 'string(1234567.5) == "1.2345675e+06" && string(0.5) == "0.5" && string(1e-7) == "1e-07"', true],
    ['split leaves the rest in the last', '"a,b,c".split(",", 2) == ["a", "b,c"] && "a,b".split(",", 0) == [] && "😀é".split("") == ["😀", "é"]', true],
    ['replace takes a negative number for all', '"aa".replace("a", "b", -5) == "bb" && "aa".replace("a", "b", 1) == "ba" && "é".replace("", "-") == "-é-"', true],
    ['texts are counted in characters', '"ß😀é".substring(3) == "" && "ß😀é".charAt(1) == "😀" && "ß😀é".indexOf("é", 1) == 2', true],
    ['texts are ordered by characters', '"！" < "😀" && "a" < "ab" && "b" > "ab"', true],
    ['a search that begins behind the end finds nothing', '"ab".indexOf("b", 9) == -1 && "ab".lastIndexOf("b", 9) == -1', true],
    ['the remainder of the least number by -1 is an error', 'dyn(-9223372036854775808) % -1 == 0', 'line 1, column 26: a number or time is out of range'],
    ['the least number has no opposite', '-dyn(-9223372036854775808) > 0', 'line 1, column 1: a number or time is out of range'],
    ['unsigned numbers are divided to their end', '18446744073709551615u / 1u == 18446744073709551615u', true],
    ['what is not a number has no order', '0.0 / 0.0 < 1.0', 'line 1, column 10: what is not a number has no order'],
    ['a number has no fields', 'has({"a": 1}.a.b)', false],
    ['null is no key', 'dyn(null) in {"a": 1}', false],
    ['null is no number to be added', '[dyn(null)].sum() == 1', 'line 1, column 12: a value is of a type that this does not take'],
    ['an address is not compared with a text', 'ip("::1") == dyn("::1")', 'line 1, column 10: a ip is needed'],
    ['a text is no address', 'dyn("::1") == ip("::1") || ip("::1") == dyn(null)', false],
    ['builds are no part of a version', 'semver("1.2.3+a") == semver("1.2.3+b")', true],
    ['1.5Ki and 1000m are no integers, as they are written', 'quantity("1.5Ki").isInteger() || quantity("1000m").isInteger()', false],
    ['2k is one', 'quantity("2k").isInteger() && quantity("2k").asInteger() == 2000', true],
    ['no zone is UTC', 'now.getHours("") == 7', true],
    ['a zone may be behind the first year', 'timestamp("0001-01-01T00:00:00Z").getDayOfWeek("America/New_York") == 0', true],
    ['double takes what Go takes', 'double("1e3") == 1000.0 && double("-.5") == -0.5 && double("Inf") > 1.0', true],
    ['int of nothing is an error', 'int(request.name.substring(3) + "") == 0', 'line 1, column 1: the text is no whole number'],
    ['int of another base is an error', 'int(request.name.substring(3) + "0x10") == 16', 'line 1, column 1: the text is no whole number'],
    ['int beyond 64 bits is an error', 'int(request.name.substring(3) + "9223372036854775808") > 0', 'line 1, column 1: a number or time is out of range'],
    ['uint of nothing is an error', 'uint(request.name.substring(3) + "") == 0u', 'line 1, column 1: the text is no whole number without a sign'],
    ['true is no index of a list', '[1][dyn(true)] == 1', 'line 1, column 4: the index of a list is a whole number'],
    ['hours are those of the zone, not of this process', 'now.getHours("Europe/Berlin") == 9 && now.getHours() == 7', true],
    ['days of the year are counted from 0', 'timestamp("2026-12-31T23:30:00Z").getDayOfYear() == 364', true],
    ['a zone may be an offset', 'now.getMinutes("+05:45") == 15 && now.getHours("-08:00") == 23', true],
    ['a zone that is none is an error', 'now.getHours(request.name) == 1', 'line 1, column 4: no such time zone is known'],
    ['\\A is the beginning of the text', '!"docker.io/x".matches("\\\\Adocker\\\\.io/.*")', false],
  ] // prettier-ignore
  for (const [sentence, text, verdict] of mended) it(sentence, () => expect(verdictOf(text)).to.equal(verdict))
})

describe('an error', () => {
  const secret = 'hunter2'
  const failing = [
    'bool(object.s)',
    'int(object.s) == 1',
    'double(object.s) == 1.0',
    'timestamp(object.s) == now',
    'duration(object.s) == duration("1s")',
    'quantity(object.s).isInteger()',
    'ip(object.s).isLoopback()',
    'cidr(object.s).prefixLength() == 1',
    'semver(object.s).major() == 1',
    'object[object.s] == 1',
    'object.s.hunter2 == 1',
    '{"a": 1}[object.s] == 1',
    '{object.s: 1, object.s: 2}.size() == 1',
    'object.s + 1 == 2',
    'object.s',
    'object.s && true',
    'object.s ? true : false',
    'object.s.all(x, true)',
    'object.s.format([1]) == "" || "%d".format([object.s]) == ""',
    'now.getHours(object.s) == 1',
    'request.name.matches("(" + object.s)',
    'object.n / 0 == 1',
  ]
  for (const text of failing)
    it(`says nothing of what is judged: ${text}`, () => {
      const error = verdictOf(text.replace('.hunter2', '.x'), { s: secret, n: 1 })
      expect(error).to.be.a('string').and.not.contain(secret)
    })

  it('says where it is, in which line', () => {
    expect(verdictOf('request.name == "api" &&\n  object.spec.x == 1', { spec: {} })).to.equal(
      'line 2, column 14: there is no such field or key',
    )
  })

  it('is none where the other side decides', () => {
    expect(verdictOf('object.nope == 1 || request.name == "api"')).to.equal(true)
    expect(verdictOf('object.nope == 1 && request.name == "other"')).to.equal(false)
  })

  it('is the answer to an object that is too deep to be read', () => {
    const deep: unknown = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000))
    expect(verdictOf('object == object', deep)).to.equal('cannot be evaluated')
  })

  it('is the answer when a variable is not there', () => {
    expect(condition('object.a == 1').evaluate({})).to.deep.include({ ok: false })
  })
})

const nested = (depth: number): string =>
  Array.from({ length: depth }, (_, level) => `object.items.all(v${level}, `).join('') + 'v0 >= 0' + ')'.repeat(depth)
const doubled = (times: number): string => `[0]${'.map(a, [a, a])'.repeat(times)}`

const judgeItems = () => condition('object.items.all(i, i >= 0)').evaluate({ object: large })

describe('the budget', () => {
  const over: readonly (readonly [sentence: string, text: string])[] = [
    ['n⁸ loops', nested(8)],
    ['n⁸ loops whose error does not matter', `${nested(8)} || true`],
    ['n⁸ loops inside of a choice', `${nested(8)} ? true : true`],
    ['a list that doubles', `object.items${'.map(a, a)'.repeat(3)}.size() > 0 && ${doubled(90)} == ${doubled(90)}`],
    ['a text that doubles', `["xxxxxxxxxx"]${'.map(a, a + a)'.repeat(60)}.size() == 1`],
    ['a list that is joined over and over', '[object.text, object.text].map(a, [a, a, a, a, a, a, a, a, a, a].join(a)).size() == 2 && [1,2,3,4,5,6,7,8].all(i, [object.text, object.text, object.text, object.text].join(object.text).size() > 0 && object.text.replace("a", object.text).size() > 0)'],
    ['a text that is formatted from a list that doubles', `"%s".format([${doubled(60)}]).size() > 0`],
    ['a text that is replaced by itself', 'object.text.replace("a", object.text).size() > 0'],
    ['patterns that come with the object', 'object.items.all(i, object.text.matches(object.text.substring(0, 900)))'],
  ] // prettier-ignore
  for (const [sentence, text] of over)
    it(`is too small for ${sentence}, and says so in well under a second`, () => {
      const started = performance.now()
      expect(verdictOf(text, large)).to.equal('costs more than its budget')
      expect(performance.now() - started).to.be.below(1_000)
    })

  it('is enough for a Pod of 50 containers with 40 variables each', () => {
    const containers = Array.from({ length: 50 }, (_, index) => ({
      image: `registry.example/app-${index}:1`,
      env: Array.from({ length: 40 }, (__, number) => ({ name: `NAME_${number}`, value: 'x' })),
    }))
    const text =
      'object.containers.all(c, c.image.startsWith("registry.example/") && c.env.all(e, e.name != "PASSWORD"))'
    expect(verdictOf(text, { containers })).to.equal(true)
  })

  it('is spent by what is looked at, the same every time', () => {
    expect(judgeItems().spent)
      .to.equal(judgeItems().spent)
      .and.be.within(50 * 5, 50 * 20)
  })

  it('is what is left of the policy', () => {
    const text = 'object.items.all(i, i >= 0)'
    expect(condition(text).evaluate({ object: large }, 10)).to.deep.include({
      ok: false,
      error: 'costs more than its budget',
    })
    expect(condition(text).evaluate({ object: large }, policyBudget)).to.deep.include({ ok: true, value: true })
  })
})

describe('a regular expression', () => {
  it('of the kind that hangs others is answered at once', () => {
    const started = performance.now()
    expect(verdictOf('object.text.matches("^(a+)+$")', large)).to.equal(false)
    expect(verdictOf('object.text.matches("(x+x+)+y")', large)).to.equal(false)
    expect(performance.now() - started).to.be.below(500)
  })

  it('that comes with the object is an error when it is none', () => {
    expect(verdictOf('"a".matches(object.p)', { p: '(' })).to.equal(
      'line 1, column 4: the pattern is not of the syntax of RE2',
    )
    expect(verdictOf('"a".matches(object.p)', { p: 'a'.repeat(1_001) })).to.equal(
      'line 1, column 4: the pattern is too long',
    )
  })
})
