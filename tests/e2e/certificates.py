"""Certificates of a test: an authority, and what it signs, good or bad."""
import datetime
import ipaddress
import ssl
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Authority:
    """Signs certificates; `ca_file` is what trusts them."""

    def __init__(self, folder, name="authority"):
        self.folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._count = 0
        self.ca_file = folder / f"{name}.pem"
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        certificate = self._sign(self._name, self._key.public_key(), 10, [
            (x509.BasicConstraints(True, None), True), (usage, True)])
        self.ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, name, public_key, days_left, extensions, key=None):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder()
                   .subject_name(name).issuer_name(name if key else self._name)
                   .public_key(public_key).serial_number(x509.random_serial_number())
                   .not_valid_before(now - 10 * DAY)
                   .not_valid_after(now + days_left * DAY))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(key or self._key, hashes.SHA256())

    def issue(self, *names, days_left=5, self_signed=False):
        """A certificate and its key in one file; gives the path."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        alternatives = x509.SubjectAlternativeName([_alternative(n) for n in names])
        certificate = self._sign(subject, key.public_key(), days_left,
                                 [(alternatives, False)], key if self_signed else None)
        self._count += 1
        path = self.folder / f"{self.ca_file.stem}-{self._count}.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(serialization.Encoding.PEM,
                                serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption()))
        return path


def server_context(certificate):
    """A TLS server; another load_cert_chain() renews its certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def old_tls_context(certificate):
    """A server that speaks nothing newer than TLS 1.1."""
    context = server_context(certificate)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def bad_certificate(kind, authority, folder, name):
    """One for `name` that must not be accepted by who trusts the authority."""
    if kind == "expired":
        return authority.issue(name, days_left=-1)
    if kind == "wrong name":
        return authority.issue("example.org", "127.0.0.2")
    if kind == "self-signed":
        return authority.issue(name, self_signed=True)
    return Authority(folder, "stranger").issue(name)
