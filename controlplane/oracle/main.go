// Command oracle answers what Kubernetes' own code says, one JSON question per line on stdin, one JSON answer
// per line on stdout, in the same order. The tests put the same questions to Lapse's TypeScript and compare.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// A question puts any number of cases to one of the topics below; an input has that topic's own shape.
type question struct {
	Topic  string            `json:"topic"`
	Inputs []json.RawMessage `json:"inputs"`
}

// An answer has one output for each input, or the first error.
type answer struct {
	Outputs []any  `json:"outputs,omitempty"`
	Error   string `json:"error,omitempty"`
}

var topics = map[string]func(json.RawMessage) (any, error){
	"covers":       answerCovers,
	"authorize":    answerAuthorize,
	"rules-for":    answerRulesFor,
	"who-can":      answerWhoCan,
	"aggregation":  answerAggregation,
	"escalation":   answerEscalation,
	"pod-security": answerPodSecurity,
	"cel":          answerCEL,
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 64<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)

	for in.Scan() {
		if err := encoder.Encode(reply(in.Bytes())); err != nil {
			fmt.Fprintln(os.Stderr, "oracle:", err)
			os.Exit(1)
		}
		out.Flush()
	}
}

func reply(line []byte) answer {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return answer{Error: err.Error()}
	}
	topic, known := topics[q.Topic]
	if !known {
		return answer{Error: fmt.Sprintf("unknown topic %q", q.Topic)}
	}
	outputs := make([]any, 0, len(q.Inputs))
	for _, input := range q.Inputs {
		output, err := topic(input)
		if err != nil {
			return answer{Error: err.Error()}
		}
		outputs = append(outputs, output)
	}
	return answer{Outputs: outputs}
}
