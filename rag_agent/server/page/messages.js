// What the page says, in English and Dutch. Both have the same keys; a test compares them.
export const MESSAGES = {
  en: {
    skip: "To the question", conversations: "Conversations", documents: "Documents", about: "About", language: "Language",
    new: "New conversation", find: "Search conversations", import: "Import a conversation", question: "Ask your documents",
    ask: "Ask", stop: "Stop", close: "Close", cancel: "Cancel", drop: "Drop files to add them to the documents",
    welcome: "What would you like to know?", welcome_text: "Every sentence of an answer stands on a quote that you can open and check.",
    loading: "Loading models …", indexing: "Indexing {done} of {total} chunks …", indexing_start: "Indexing the documents …",
    ready: "{files} files, {chunks} passages", ready_chat: "No documents: plain chat", waiting: "Place {place} in the line",
    quote: "quote", restated: "word for word", judged: "judged", remembered: "remembered, no source",
    quote_title: "Verbatim from the document", restated_title: "Word for word from one quote, by deletions that take nothing away",
    remembered_title: "What you said yourself in an earlier turn; no document says it",
    judged_title: "A judge says that the quote says it; names, numbers, dates and negation match",
    found: "Found so far", sources: "Sources", left_out: "Left out ({count})", inside: "How this came about", page: "page {page}",
    edit: "Edit", rewind: "Back to here", fork: "Fork here", ask_again: "Ask again", rename: "Rename", delete: "Delete", export: "Export",
    stale_changed: "{file} has changed since this answer.", stale_gone: "{file} is gone since this answer.",
    stopped: "Stopped. This turn is not kept.", unfinished: "This question was cut off before its answer:", gone: "The connection was lost; ask again.",
    edit_title: "Ask something else in its place", edit_text: "What came after this turn is no longer part of the conversation.",
    rewind_title: "Go back to this turn?", rewind_text: "The turns after it are taken out of the conversation.",
    rename_title: "Title of the conversation", delete_title: "Delete this conversation?", delete_text: "It is deleted for good.",
    forked: "This is a conversation of its own now.", answered: "Answer: {text}", text: "Text", picture: "Page", looked: "Looked at for this answer; the more colour, the better it fits.",
    searched: "Searched for", model: "Model", time: "Time", likely: "Evidence", tokens: "Tokens", passages: "Passages looked at",
    explain: "Show how units were ranked", unit: "Unit", chance: "Chance", withheld: "withheld: {why}", reader: "What a reader would be given",
    file: "File", size: "Size", changed: "Changed", add: "Add files", reindex: "Index anew", not_read: "Not read ({count})",
    stored: "Added: {names}", refused: "{file}: {why}", embeddings: "Embeddings", version: "Version", answer: "Answers", judge: "Judge",
    threshold: "Refuses below", token_title: "This server asks for its token", token: "Token", send: "Send", empty_files: "No documents yet: drop files here.",
  },
  nl: {
    skip: "Naar de vraag", conversations: "Gesprekken", documents: "Documenten", about: "Over", language: "Taal",
    new: "Nieuw gesprek", find: "Zoek in gesprekken", import: "Gesprek importeren", question: "Vraag het uw documenten",
    ask: "Vraag", stop: "Stop", close: "Sluiten", cancel: "Annuleren", drop: "Laat bestanden los om ze aan de documenten toe te voegen",
    welcome: "Wat wilt u weten?", welcome_text: "Elke zin van een antwoord staat op een citaat dat u kunt openen en nakijken.",
    loading: "Modellen laden …", indexing: "{done} van {total} stukken geïndexeerd …", indexing_start: "Documenten indexeren …",
    ready: "{files} bestanden, {chunks} passages", ready_chat: "Geen documenten: gewoon gesprek", waiting: "Plaats {place} in de rij",
    quote: "citaat", restated: "woord voor woord", judged: "beoordeeld", remembered: "onthouden, geen bron",
    quote_title: "Letterlijk uit het document", restated_title: "Woord voor woord uit één citaat, met weglatingen die niets afdoen",
    remembered_title: "Wat u zelf eerder zei; geen document zegt het",
    judged_title: "Een beoordelaar zegt dat het citaat dit zegt; namen, getallen, datums en ontkenning kloppen",
    found: "Tot nu toe gevonden", sources: "Bronnen", left_out: "Weggelaten ({count})", inside: "Hoe dit tot stand kwam", page: "bladzijde {page}",
    edit: "Wijzigen", rewind: "Terug naar hier", fork: "Hier aftakken", ask_again: "Opnieuw vragen", rename: "Hernoemen", delete: "Verwijderen", export: "Exporteren",
    stale_changed: "{file} is sinds dit antwoord gewijzigd.", stale_gone: "{file} is sinds dit antwoord verdwenen.",
    stopped: "Gestopt. Deze beurt is niet bewaard.", unfinished: "Deze vraag werd afgebroken voor het antwoord er was:", gone: "De verbinding is verbroken; vraag het opnieuw.",
    edit_title: "Vraag iets anders in plaats hiervan", edit_text: "Wat na deze beurt kwam, hoort niet meer bij het gesprek.",
    rewind_title: "Terug naar deze beurt?", rewind_text: "De beurten erna worden uit het gesprek gehaald.",
    rename_title: "Titel van het gesprek", delete_title: "Dit gesprek verwijderen?", delete_text: "Het wordt voorgoed verwijderd.",
    forked: "Dit is nu een eigen gesprek.", answered: "Antwoord: {text}", text: "Tekst", picture: "Bladzijde", looked: "Bekeken voor dit antwoord; hoe meer kleur, hoe beter het past.",
    searched: "Gezocht naar", model: "Model", time: "Tijd", likely: "Bewijs", tokens: "Tokens", passages: "Bekeken passages",
    explain: "Toon de rangorde van eenheden", unit: "Eenheid", chance: "Kans", withheld: "achtergehouden: {why}", reader: "Wat een lezer zou krijgen",
    file: "Bestand", size: "Grootte", changed: "Gewijzigd", add: "Bestanden toevoegen", reindex: "Opnieuw indexeren", not_read: "Niet gelezen ({count})",
    stored: "Toegevoegd: {names}", refused: "{file}: {why}", embeddings: "Embeddings", version: "Versie", answer: "Antwoorden", judge: "Beoordelaar",
    threshold: "Weigert onder", token_title: "Deze server vraagt om zijn token", token: "Token", send: "Verstuur", empty_files: "Nog geen documenten: laat hier bestanden los.",
  },
};

const KEY = "rag-agent-language";
let chosen = localStorage.getItem(KEY) || (navigator.language.startsWith("nl") ? "nl" : "en");
export const language = () => chosen;

export function t(key, values = {}) {
  return MESSAGES[chosen][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export function speak(code) {
  chosen = code;
  localStorage.setItem(KEY, code);
  document.documentElement.lang = code;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
}
