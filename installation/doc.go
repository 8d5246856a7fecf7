// Package installation decides how far a box is installed: step by step, what the box itself can check and what only a person in the
// room can answer, and what stands in the report that is printed and signed. It is pure.
//
// A step is done when its checks passed and its question was answered with yes. What the box cannot see stays "not known", whoever
// answers: the report says both. There is no free text anywhere: questions are a closed list, answers are yes or no, with the name of
// who gave them and when. Answers belong to a configuration: with another one they are asked again.
package installation
