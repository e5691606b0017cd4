package wire

// layout describes the RDATA of t in class c, one character a field:
//
//	1-9  that many octets
//	q    sixteen octets
//	n    a domain name, which a sender may have compressed
//	u    a domain name that is never compressed
//	s    a character string: a length octet and that many octets
//	S    one or more character strings, up to the end
//	b    a type bitmap, up to the end (RFC 4034, section 4.1.2)
//	p    SvcParams, up to the end (RFC 9460, section 2.2)
//	o    EDNS options, up to the end (RFC 6891, section 6.1.2)
//	r    whatever is left
//	R    whatever is left, at least an octet
//
// Types without a layout here are opaque (RFC 3597, section 3). So are A6, historic by RFC 6563, and types
// whose names depend on other fields and are never compressed (IPSECKEY, AMTRELAY, HIP).
func layout(t Type, c Class) string {
	switch t {
	case TypeA:
		if c == ClassIN {
			return "4"
		}
	case TypeAAAA:
		if c == ClassIN {
			return "q"
		}
	case TypeNS, TypeMD, TypeMF, TypeCNAME, TypeMB, TypeMG, TypeMR, TypePTR, TypeDNAME, TypeNSAPPTR:
		// RFC 6672, section 2.5, and RFC 4034, sections 3.1.7 and 4.1.1, forbid to compress in DNAME,
		// RRSIG and NSEC. What a sender compressed all the same is read, as others do.
		return "n"
	case TypeSOA:
		return "nn488" // serial; refresh, retry; expire, minimum
	case TypeWKS:
		if c == ClassIN {
			return "5r"
		}
	case TypeHINFO:
		return "ss"
	case TypeMINFO, TypeRP:
		return "nn"
	case TypeMX, TypeAFSDB, TypeRT, TypeKX:
		return "2n"
	case TypeTXT, TypeSPF, TypeISDN:
		return "S"
	case TypeX25:
		return "s"
	case TypeSIG, TypeRRSIG:
		return "99nR"
	case TypeKEY, TypeDNSKEY, TypeCDNSKEY:
		return "4r"
	case TypePX:
		return "2nn"
	case TypeGPOS:
		return "sss"
	case TypeNXT:
		return "nr"
	case TypeSRV:
		return "6n"
	case TypeNAPTR:
		return "4sssn"
	case TypeCERT:
		return "5r"
	case TypeOPT:
		return "o"
	case TypeDS, TypeCDS, TypeDLV:
		return "4R"
	case TypeSSHFP:
		return "2r"
	case TypeNSEC:
		return "nb"
	case TypeDHCID, TypeOPENPGPKEY:
		return "R"
	case TypeNSEC3:
		return "4ssb"
	case TypeNSEC3PARAM:
		return "4s"
	case TypeTLSA, TypeSMIMEA:
		return "3r"
	case TypeCSYNC:
		return "6b"
	case TypeZONEMD:
		return "6R"
	case TypeSVCB, TypeHTTPS:
		return "2up"
	case TypeNID, TypeL64:
		return "82"
	case TypeL32:
		return "6"
	case TypeLP:
		return "2u"
	case TypeEUI48:
		return "6"
	case TypeEUI64:
		return "8"
	case TypeTKEY, TypeTSIG:
		return "ur"
	case TypeURI:
		return "4r"
	case TypeCAA:
		return "1sr"
	}
	return "r"
}
