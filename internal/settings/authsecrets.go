package settings

// Secrets are the active secrets of all kinds.
func (a Auth) Secrets() []Secret {
	var all []Secret
	if a.HMACSHA256 != nil {
		all = append(all, a.HMACSHA256.Secrets...)
	}
	if a.APIKey != nil {
		all = append(all, a.APIKey.Secrets...)
	}
	if a.Bearer != nil {
		all = append(all, a.Bearer.Secrets...)
	}
	if a.Authorization != nil {
		all = append(all, a.Authorization.Secrets...)
	}
	if a.Basic != nil {
		all = append(all, a.Basic.Secrets...)
	}
	if a.TokenIn != nil {
		all = append(all, a.TokenIn.Secrets...)
	}
	if a.OAuth2 != nil {
		all = append(all, a.OAuth2.Secrets...)
	}
	if a.Login != nil {
		all = append(all, a.Login.Secrets...)
	}
	if a.LearnUponV1 != nil {
		all = append(all, a.LearnUponV1.Secrets...)
	}
	return all
}
