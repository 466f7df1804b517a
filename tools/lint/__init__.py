"""The house rules, checked. `./dev lint` runs them; tools/lint/tests proves that each of them catches what it is for."""
