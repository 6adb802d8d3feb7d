/** A style sheet imported as text, as esbuild reads `with { type: "text" }`. */
declare module "*.css" {
  const text: string;
  export default text;
}
