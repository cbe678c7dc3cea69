/*
 * certificate: see certificate.h.
 */
#include "certificate.h"

#include <check.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECONDS_A_DAY = 24 * 60 * 60, RSA_BITS = 2048 };

static void
take_text(BIO *bio, struct identity_part *part, const char *path)
{
    char *text;
    long len = BIO_get_mem_data(bio, &text);

    part->path = path;
    part->pem = malloc((size_t)len);
    part->len = (size_t)len;
    memcpy(part->pem, text, part->len);
    BIO_free(bio);
}

static void
name_localhost(X509 *x)
{
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");

    ck_assert_ptr_nonnull(names);
    X509_add_ext(x, names, -1);
    X509_EXTENSION_free(names);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
}

void
certificate_make(struct identity *identity, enum certificate_kind kind, const char *path, int days)
{
    EVP_PKEY *key = kind == CERTIFICATE_RSA ? EVP_RSA_gen(RSA_BITS) : EVP_EC_gen("P-256");
    X509 *x = X509_new();
    BIO *out;

    ck_assert(key != NULL && x != NULL);
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -SECONDS_A_DAY);
    X509_gmtime_adj(X509_getm_notAfter(x), (long)days * SECONDS_A_DAY - 1);
    X509_set_pubkey(x, key);
    name_localhost(x);
    ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
    out = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_X509(out, x), 1);
    take_text(out, &identity->certificate, path);
    out = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
    take_text(out, &identity->key, path);
    X509_free(x);
    EVP_PKEY_free(key);
}

void
certificate_free(struct identity *identity)
{
    free(identity->certificate.pem);
    free(identity->key.pem);
}

void
certificate_write(const struct identity_part *part, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, part->pem, part->len), (ssize_t)part->len);
    close(fd);
}
