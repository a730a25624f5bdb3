# frozen_string_literal: true

RSpec.describe "Logging in", type: :request do
  let!(:user) { create(:user, email: "ada@example.test") }

  before { create(:chat_room, members: [ user ]) }

  it "sends strangers to the login page" do
    get "/rooms"
    expect(response).to redirect_to("/login")
  end

  { "/session" => "a cookie", "/users/sign_in" => "Warden" }.each do |path, means|
    it "works with #{means}" do
      post path, params: { email: "ada@example.test", password: "let-me-in" }
      get "/"
      follow_redirect!

      expect(response.body).to include("# General").or include("&quot;General&quot;")
    end

    it "refuses a wrong password with #{means}" do
      post path, params: { email: "ada@example.test", password: "let-me-out" }
      get "/rooms"
      expect(response).to redirect_to("/login")
    end
  end

  it "tells who is in no room so, and lets them out again" do
    user.members.destroy_all
    post "/session", params: { email: "ada@example.test", password: "let-me-in" }
    get "/rooms"

    expect(response.body).to include("No room yet", "Sign out")
  end

  it "has a page for a room of others, and a bare status for programs" do
    other_room = create(:chat_room)
    post "/session", params: { email: "ada@example.test", password: "let-me-in" }

    get "/rooms/#{other_room.id}"
    expect(response).to have_http_status(:not_found)
    expect(response.body).to include("Back to the chat")

    get "/api/chat_rooms/#{other_room.id}", as: :json
    expect(response).to have_http_status(:not_found)
    expect(response.body).to be_empty
  end

  it "gives a phone a token" do
    post "/api/token", params: { email: "ada@example.test", password: "let-me-in" }
    expect(CableToken.user_for(response.parsed_body["token"])).to eq(user)
  end

  it "ends the user's cables on signing out" do
    post "/session", params: { email: "ada@example.test", password: "let-me-in" }
    expect(ConnectionTracker).to receive(:disconnect_all).with(user)
    delete "/session"
  end
end
