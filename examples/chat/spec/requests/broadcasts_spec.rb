# frozen_string_literal: true

RSpec.describe "Broadcasting from controllers", type: :request do
  include ActiveJob::TestHelper

  let(:organization) { create(:organization) }
  let(:ada) { create(:user, organization: organization, email: "ada@example.test", admin: true) }
  let(:grace) { create(:user, organization: organization) }

  before { post "/session", params: { email: ada.email, password: "let-me-in" } }

  it "notifies a colleague" do
    expect { post "/notifications", params: { notification: { recipient_id: grace.id, title: "Tea?" } } }
      .to have_broadcasted_to("notifications_user_#{grace.id}")
      .with(hash_including(type: "notification", notification: hash_including(title: "Tea?", sender_name: ada.name)))
    expect(response).to have_http_status(:created)
  end

  it "does not notify strangers" do
    stranger = create(:user)
    expect { post "/notifications", params: { notification: { recipient_id: stranger.id, title: "Tea?" } } }
      .not_to have_broadcasted_to("notifications_user_#{stranger.id}")
    expect(response).to have_http_status(:unprocessable_entity)
  end

  it "lets only admins announce" do
    expect { post "/announcements", params: { body: "Tea" } }.to have_broadcasted_to("notifications_user_#{ada.id}")

    ada.update!(admin: false)
    expect { post "/announcements", params: { body: "Tea" } }.not_to have_broadcasted_to("notifications_user_#{ada.id}")
    expect(response).to have_http_status(:forbidden)
  end

  it "has a job send the dashboard's figures" do
    expect { perform_enqueued_jobs { patch "/dashboard" } }
      .to have_broadcasted_to("dashboard_user_#{ada.id}").with(hash_including(type: "stats_update"))
  end
end
