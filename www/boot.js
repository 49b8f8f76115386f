// Starts the page, and says so on the page where that fails: an import of the package that can't be loaded would
// otherwise leave a dead form and a line in the console.

try {
  await import("./app.js");
} catch (error) {
  const box = document.getElementById("login-error");
  box.textContent = `The page could not be loaded: ${error.message}. Is the package built and served at /pkg/?`;
  box.hidden = false;
  console.error(error);
}
