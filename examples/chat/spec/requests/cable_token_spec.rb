# frozen_string_literal: true

RSpec.describe "The token of a page", type: :request do
  let(:user) { create(:user, email: "ada@example.test") }
  let(:room) { create(:chat_room, members: [ user ]) }

  before do
    allow(ActionCable.server.config).to receive(:url).and_return("ws://cable.example.test/cable")
    post "/session", params: { email: user.email, password: "let-me-in" }
  end

  it "is there if the cable is on another host, where the cookie does not go" do
    get "/rooms/#{room.id}"
    token = response.body[/name="cable-token" content="([^"]+)"/, 1]
    expect(CableToken.user_for(token)).to eq(user)
  end

  it "is not there if the cable is on the page's host" do
    allow(ActionCable.server.config).to receive(:url).and_return("ws://www.example.com:8080/cable")
    get "/rooms/#{room.id}"
    expect(response.body).not_to include("cable-token")
  end
end
