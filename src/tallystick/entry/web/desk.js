/**
 * Passkeys at the desk: fills a form with what the authenticator gives, and submits it.
 *
 * A form with data-passkey="get" or "create" carries the options in data-options (JSON, octets in
 * base64url). Nothing is fetched; without this script every other form works.
 *
 * Source: W3C WebAuthn Level 3, 5.1; ISO/TS 12812-2:2017, 6.2.1
 */
"use strict";
(() => {
  const octets = (text) => Uint8Array.from(
    atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const written = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const asked = async (options) => {
    const allowCredentials = options.credentials.map(
      (id) => ({ type: "public-key", id: octets(id) }));
    const found = await navigator.credentials.get({ publicKey: {
      challenge: octets(options.challenge), rpId: options.rp, allowCredentials,
      userVerification: "required", timeout: 120000 } });
    return { credential: written(found.rawId),
      authenticator_data: written(found.response.authenticatorData),
      client_data: written(found.response.clientDataJSON),
      signature: written(found.response.signature) };
  };

  const made = async (options, name) => {
    const found = await navigator.credentials.create({ publicKey: {
      challenge: octets(options.challenge), rp: { id: options.rp, name: options.party },
      user: { id: octets(options.person), name, displayName: name },
      pubKeyCredParams: [{ type: "public-key", alg: -7 }],
      authenticatorSelection: { residentKey: "required", requireResidentKey: true,
        userVerification: "required" },
      attestation: options.attestation, timeout: 120000 } });
    return { credential: written(found.rawId),
      client_data: written(found.response.clientDataJSON),
      attestation: written(found.response.attestationObject) };
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const told = form.querySelector("[role=status]");
    const button = form.querySelector("button");
    button.disabled = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      told.textContent = "Your device asks you now.";
      try {
        const options = JSON.parse(form.dataset.options);
        const creates = form.dataset.passkey === "create";
        const given = creates
          ? await made(options, form.elements.name.value) : await asked(options);
        form.elements.given.value = JSON.stringify(given);
        form.submit();
      } catch (error) {
        told.textContent = `No passkey was used (${error.name}). Nothing was signed; try again.`;
        button.disabled = false;
      }
    });
  }
})();
