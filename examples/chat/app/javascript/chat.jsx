import { createRoot } from "react-dom/client"
import App from "./components/App"
import "./chat.css"

// The login page has the styles and no chat.
const container = document.getElementById("chat")
if (container) createRoot(container).render(<App {...JSON.parse(container.dataset.props)} />)
