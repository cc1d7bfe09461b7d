package main

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types/ref"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/cel/environment"
)

// celEnvironment is that of the API server for expressions that are new in its own version, with the variables
// `object`, of which nothing is known, and `now`.
var celEnvironment = sync.OnceValues(func() (*cel.Env, error) {
	current := version.MajorMinor(1, 36)
	set, err := environment.MustBaseEnvSet(current).Extend(environment.VersionedOptions{
		IntroducedVersion: current,
		EnvOptions:        []cel.EnvOption{cel.Variable("object", cel.DynType), cel.Variable("now", cel.TimestampType)},
	})
	if err != nil {
		return nil, err
	}
	return set.Env(environment.NewExpressions)
})

type celAnswer struct {
	Compiles bool `json:"compiles"`
	// Values are one for each object; nil: the evaluation failed, or gave no bool.
	Values []*bool `json:"values,omitempty"`
}

// answerCEL compiles an expression as that of a ValidatingAdmissionPolicy, which must be a bool, and evaluates it for
// each of the objects.
func answerCEL(input json.RawMessage) (any, error) {
	var q struct {
		Expression string            `json:"expression"`
		Objects    []json.RawMessage `json:"objects"`
		Now        time.Time         `json:"now"`
	}
	if err := json.Unmarshal(input, &q); err != nil {
		return nil, err
	}
	env, err := celEnvironment()
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(q.Expression)
	if issues.Err() != nil || !ast.OutputType().IsExactType(cel.BoolType) {
		return celAnswer{}, nil
	}
	program, err := env.Program(ast)
	if err != nil {
		return celAnswer{}, nil // what is constant in it is worked out now
	}
	answer := celAnswer{Compiles: true}
	for _, text := range q.Objects {
		var object any
		// Whole numbers become int64, as they do in what the API server has decoded.
		if err := utiljson.Unmarshal(text, &object); err != nil {
			return nil, err
		}
		result, _, err := program.Eval(map[string]any{"object": object, "now": q.Now})
		answer.Values = append(answer.Values, boolOf(result, err))
	}
	return answer, nil
}

func boolOf(result ref.Val, err error) *bool {
	if err != nil {
		return nil
	}
	value, isBool := result.Value().(bool)
	if !isBool {
		return nil
	}
	return &value
}
