/*
 * tls_context: what all TLS connections of a server share, made once when the front end starts.
 *
 *   versions   1.2 and 1.3
 *   suites     with forward secrecy and authenticated encryption only; the server's order counts,
 *              but a client without AES instructions gets the ChaCha20 that it prefers
 *   ALPN       http/1.1; a client that offers other protocols only is told so (RFC 7301 3.2)
 *   off        compression, renegotiation, early data (which could be replayed), session cache
 *              (tickets do it, see tls_ticket.c)
 *
 * Certificate and key come as octets from the supervisor. What is wrong with them is told in one
 * sentence with the name of the file: the front end ends with it at the start, and a reload with it
 * leaves the old generation in place.
 */
#include "http/tls.h"

#include "common/buf.h"
#include "common/log.h"
#include "http/http.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static const char suites_12[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char suites_13[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                "TLS_CHACHA20_POLY1305_SHA256";
static const char groups[] = "X25519:P-256:P-384";

/* As it stands in a ClientHello: the length, then the name. */
static const unsigned char protocol[] = "\x08http/1.1";

enum { RSA_BITS_FAST = 2048 };

static int
on_protocols(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
             const unsigned char *offered, unsigned offered_len, void *arg)
{
    unsigned char *name;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&name, chosen_len, protocol, sizeof(protocol) - 1, offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = name;
    return SSL_TLSEXT_ERR_OK;
}

/* ---- certificate and key ---- */

/* Adds why OpenSSL refused it, in its own words; always -1. */
static int
refuse(struct buf *why, const char *key, const struct identity_part *part, const char *what)
{
    const unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    buf_addf(why, "%s: %s: %s", key, part->path, what);
    if (reason != NULL)
        buf_addf(why, " (%s)", reason);
    return -1;
}

static BIO *
reader_of(const struct identity_part *part)
{
    BIO *bio = BIO_new_mem_buf(part->pem, (int)part->len);

    if (bio == NULL)
        fatalx("no memory for a certificate");
    return bio;
}

/* Nobody sits there who could type one. */
static int
no_passphrase(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

/* The certificates behind the first one. The end of the text reads as an error of its own kind. */
static int
use_chain(SSL_CTX *context, BIO *in, const struct identity_part *part, struct buf *why)
{
    X509 *next;

    while ((next = PEM_read_bio_X509(in, NULL, no_passphrase, NULL)) != NULL) {
        if (SSL_CTX_add0_chain_cert(context, next) == 1)
            continue;
        X509_free(next);
        return refuse(why, "tls_certificate", part, "a certificate of the chain can't be used");
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return refuse(why, "tls_certificate", part, "a certificate of the chain can't be read");
    ERR_clear_error();
    return 0;
}

static void
warn_of_age(const X509 *own, const struct identity_part *part)
{
    if (X509_cmp_current_time(X509_get0_notAfter(own)) < 0)
        log_warnx("tls_certificate: %s has expired: browsers will refuse it", part->path);
    else if (X509_cmp_current_time(X509_get0_notBefore(own)) > 0)
        log_warnx("tls_certificate: %s is not valid yet: browsers will refuse it", part->path);
}

static int
use_certificate(SSL_CTX *context, const struct identity_part *part, struct buf *why)
{
    BIO *in = reader_of(part);
    X509 *own = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);
    int result = -1;

    if (own == NULL)
        (void)refuse(why, "tls_certificate", part, "there is no certificate in it as PEM");
    else if (SSL_CTX_use_certificate(context, own) != 1)
        (void)refuse(why, "tls_certificate", part, "this certificate can't be used");
    else
        result = use_chain(context, in, part, why);
    if (result == 0)
        warn_of_age(own, part);
    X509_free(own);
    BIO_free(in);
    return result;
}

static int
use_key(SSL_CTX *context, const struct identity *identity, struct buf *why)
{
    BIO *in = reader_of(&identity->key);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL);
    int result = -1;

    if (key == NULL) {
        (void)refuse(why, "tls_key", &identity->key,
                     "there is no private key in it as PEM without passphrase");
    } else if (X509_check_private_key(SSL_CTX_get0_certificate(context), key) != 1) {
        buf_addf(why, "tls_key: %s is not the key of the certificate in %s", identity->key.path,
                 identity->certificate.path);
    } else if (SSL_CTX_use_PrivateKey(context, key) != 1) {
        (void)refuse(why, "tls_key", &identity->key, "this key can't be used");
    } else {
        result = 0;
        if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) > RSA_BITS_FAST)
            log_warnx("tls_key: %s has %d bits of RSA: each handshake holds up the loop for "
                      "milliseconds, ECDSA P-256 needs a tenth of one",
                      identity->key.path, EVP_PKEY_get_bits(key));
    }
    EVP_PKEY_free(key);
    BIO_free(in);
    return result;
}

/* ---- the context ---- */

static SSL_CTX *
new_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, suites_12) != 1 ||
        SSL_CTX_set_ciphersuites(context, suites_13) != 1 ||
        SSL_CTX_set1_groups_list(context, groups) != 1)
        fatalx("OpenSSL: %s", ERR_reason_error_string(ERR_peek_last_error()));
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(context, 1); /* else two reads for each record: its head, its rest */
    SSL_CTX_set_alpn_select_cb(context, on_protocols, NULL);
    return context;
}

struct http_tls *
tls_open(const struct identity *identity, struct buf *why)
{
    SSL_CTX *context = new_context();
    struct http_tls *tls;

    ERR_clear_error();
    if (use_certificate(context, &identity->certificate, why) != 0 ||
        use_key(context, identity, why) != 0) {
        ERR_clear_error();
        SSL_CTX_free(context);
        return NULL;
    }
    tls = xcalloc(1, sizeof(*tls));
    tls->context = context;
    tls->bio = tls_bio_method();
    tickets_open(&tls->tickets, context);
    return tls;
}

void
tls_close(struct http_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->bio);
    tickets_close(&tls->tickets);
    free(tls);
}

int
http_check_identity(const struct identity *identity, struct buf *why)
{
    struct http_tls *tls = tls_open(identity, why);

    tls_close(tls);
    return tls != NULL ? 0 : -1;
}
