import { expect } from 'chai'
import { condition, problemsOf } from './condition-of.ts'

describe('a condition is refused when it is compiled', () => {
  const refused: readonly (readonly [sentence: string, text: string, problem: string])[] = [
    ['that does not parse', 'object.a ==\n  1 2', '2:5 found 2 but expecting end of input'],
    ['with a variable that nobody declares', 'object.a == objekt.b', '1:13 there is no variable objekt → known: object, request, now'],
    ['with a function that nobody declares', 'object.a == sha256("x")', '1:13 there is no function sha256'],
    ['with a field that a known object does not have', 'request.nam == "x"', '1:8 there is no field nam here → known: name, operation'],
    ['that is text', '"yes"', '1:1 must be true or false, and is string'],
    ['that is a number', '1 + 2', '1:1 must be true or false, and is int'],
    ['that compares what is never equal', 'request.name == 5', '1:14 operator == does not take (string, int)'],
    ['that compares numbers of two types', '1 == 1.0', '1:2 operator == does not take (int, double)'],
    ['that compares text with null', 'request.name == null', '1:14 operator == does not take (string, null)'],
    ['that looks for null among keys', 'null in {"a": 1}', '1:5 operator in does not take (null, map)'],
    ['with a duration that is none', 'now - duration("1 hour") < now', '1:7 function duration: the text is no duration'],
    ['with a time that is none', 'now < timestamp("2027-13-01T00:00:00Z")', '1:7 function timestamp: cannot be evaluated'],
    ['with a conversion of a conversion that cannot be done', 'int(string(1.5)) == 1', '1:1 function int: the text is no whole number'],
    ['that reads true as the first index', '[1][true] == 1', '1:5 the index of a list is a whole number, not bool'],
    ['that calls a method as a function', 'startsWith(request.name, "a")', '1:1 there is no function startsWith → it is a method: value.startsWith(…)'],
    ['that calls a function as a method', '"1Gi".quantity().isInteger()', '1:6 there is no method quantity → it is a function: quantity(value)'],
    ['with too few arguments', 'request.name.startsWith()', '1:13 method startsWith does not take 0 arguments'],
    ['with arguments of other types', 'request.name.startsWith(1)', '1:13 method startsWith does not take (string, int)'],
    ['that joins what is not true or false', 'request.name && true', '1:8 must be bool, and is string'],
    ['with an optional field', 'object.?a.orValue(1) == 1', '1:7 optional fields cannot be read → there are no optionals here: write has(a.b) ? a.b : c'],
    ['with an optional index', 'object[?"a"].orValue(1) == 1', '1:7 optional fields cannot be read → there are no optionals here: write has(a.b) ? a.b : c'],
    ['with optional.of', 'optional.of(1) == 1', '1:1 there is no variable optional → there are no optionals here: write has(a.b) ? a.b : c'],
    ['with a loop of two variables', 'object.all(k, v, v == 1)', '1:7 there is no method all with 3 arguments → loops have one variable: the key of a map, or the element of a list'],
    ['with a loop without variable', '[1].all(1, true)', '1:4 there is no method all with 2 arguments → write it with a variable: list.all(x, …)'],
    ['that loops over text', 'request.name.all(c, c == "a")', '1:8 a string has no elements: only lists and maps have'],
    ['with has() of a variable', 'has(object)', '1:1 there is no function has → has() takes one field: has(a.b)'],
    ['with a number beyond 64 bits', '9223372036854775808 > 1', '1:1 a number is out of range'],
    ['with a pattern that is none of RE2', 'request.name.matches("(?=a)")', '1:22 the pattern is not of the syntax of RE2 → RE2 has no lookahead, no lookbehind and no back-references'],
    ['with a message of protobuf', 'google.protobuf.BoolValue{value: true} == true', '1:1 messages cannot be made here, only maps: {"key": value}'],
  ] // prettier-ignore
  for (const [sentence, text, problem] of refused) it(sentence, () => expect(problemsOf(text)[0]).to.equal(problem))

  it('that is empty', () => expect(problemsOf('')).to.have.length(1))

  it('with every mistake in it', () => {
    expect(problemsOf('a == b')).to.deep.equal([
      '1:1 there is no variable a → known: object, request, now',
      '1:6 there is no variable b → known: object, request, now',
    ])
  })

  it('of more than 4096 characters', () => {
    expect(problemsOf(`"${'x'.repeat(4_095)}" == ""`)).to.deep.equal(['1:1 has 4103 characters, more than 4096'])
  })

  it('of more than 100 levels, however they are made', () => {
    const problem = /is too large: at most 100 levels and 2000 parts → write several conditions|nested too deeply/
    for (const text of [
      `${'!'.repeat(1)}(${'[1] + '.repeat(120)}[1] == [1])`,
      `object${'.a'.repeat(120)} == 1`,
      `${'['.repeat(120)}1${']'.repeat(120)} == []`,
      `${'true ? '.repeat(0)}${'object.a ? true : '.repeat(120)}true`,
    ])
      expect(problemsOf(text)[0], text.slice(0, 20)).to.match(problem)
  })

  it('of more than 2000 parts', () => {
    expect(problemsOf(`[${'1,'.repeat(2_000)}1] == []`)[0]).to.match(/is too large/)
  })

  it('with a pattern of more than 1000 characters, or that repeats too often', () => {
    expect(problemsOf(`request.name.matches("${'a'.repeat(1_001)}")`)[0]).to.equal(
      '1:22 the pattern has 1001 characters, more than 1000 → RE2 has no lookahead, no lookbehind and no back-references',
    )
    expect(problemsOf('request.name.matches("(a{900}){2}(b{900})")')[0]).to.match(/repetitions of the pattern/)
  })

  it('in well under a second, whatever it is', () => {
    const worst = ['('.repeat(4_096), '!'.repeat(4_096), '-'.repeat(4_096), 'a?b:'.repeat(1_024), 'f('.repeat(2_048)]
    const started = performance.now()
    for (const text of worst) expect(problemsOf(text), text.slice(0, 4)).to.not.deep.equal([])
    expect(performance.now() - started).to.be.below(2_000)
  })
})

describe('a condition', () => {
  it('knows which variables it uses, and takes a loop variable for none', () => {
    expect([...condition('object.all(request, request == "a") && now > timestamp(0)').uses]).to.deep.equal([
      'object',
      'now',
    ])
  })
})
