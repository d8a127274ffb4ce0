// Package lrs is a simulated Learning Record Store: xAPI 1.0.3 statements over real HTTP, as
// strict as the strict ones among real stores (unknown properties, nulls, ranges, language
// tags), with statements that never change once stored and everything that can go wrong on
// request.
//
// The interface lives under /xapi (POST, PUT and GET /xapi/statements, GET /xapi/about), the
// controls under /__sim/ for callers on this machine, and as Go methods.
//
// Raw calls (Calls), sends of one statement (Sends) and statements stored are counted apart.
package lrs
